from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import delete, event

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import ArchiveError, NoInk, QueryError
from retrieval.catalogue.marks import number_to_embed
from retrieval.catalogued_embeddings import embed_marks
from retrieval.crops import crop_path, write_crop
from retrieval.index import index_to_search, load_index, nearest, refresh_index, stored_vectors
from retrieval.ink import SEEN
from retrieval.model import Model, pack_weights, write_model
from retrieval.orientation import UPRIGHT, Orientation, orientations
from retrieval.search import (
    DISLIKE,
    Scope,
    Searcher,
    load_searcher,
    query_vectors,
    search_images,
    search_marks,
)
from tests.drawn_marks import add_marks, drawn_mark

EIGHT = orientations(turned=True, mirrored=True)


@pytest.fixture
def searcher(archive: Archive, tiny_model: Model) -> Searcher:
    add_marks(
        archive, range(8), "HCA 32/1", series="HCA 32", ship="De Hoop",
        year_from=1702, year_to=1704, date="1702-1704",
    )  # fmt: skip
    add_marks(
        archive, range(8, 16), "HCA 30/7", series="HCA 30", ship="Amity", year_from=1745,
        year_to=1745,
    )  # fmt: skip
    add_marks(archive, range(16, 20))
    refresh_index(archive, tiny_model)
    return Searcher(archive, tiny_model, load_index(archive, tiny_model))


def test_a_searcher_is_loaded_while_a_long_job_adds_marks(searcher: Searcher) -> None:
    archive, model = searcher.archive, searcher.model
    weights = pack_weights(model.discriminator, model.generator, "contrastive")
    write_model(archive.models_folder / model.id, weights, model.manifest)
    with archive.session() as session:
        session.get_one(tables.Model, model.id).origin = "trained"
    (new,) = add_marks(archive, range(100, 101))
    with archive.lock():
        embed_marks(archive, model)
        loaded = load_searcher(archive, model.id)
        assert loaded.index.marks.tolist() == searcher.index.marks.tolist()
        assert search_marks(loaded, [new], scope=Scope(top=3)), "by its crop"
    assert len(load_searcher(archive, model.id).index) == 21


def test_a_picture_of_a_mark_finds_it_first(searcher: Searcher) -> None:
    for seed in (3, 11):
        (hits,) = search_images(searcher, [drawn_mark(seed)], scope=Scope(top=5))
        assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
        assert hits[0].source == f"{seed}.png"
        assert hits[0].score == pytest.approx(1, abs=1e-4)
        assert hits[0].box == (0, 0, 60, 60)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_document_stands_beside_the_mark(searcher: Searcher) -> None:
    (hits,) = search_images(searcher, [drawn_mark(3)], scope=Scope(top=1))
    assert hits[0].document is not None
    assert hits[0].document["reference"] == "HCA 32/1"
    assert hits[0].document["ship"] == "De Hoop"
    (hits,) = search_images(searcher, [drawn_mark(17)], scope=Scope(top=1))
    assert hits[0].document is None


def test_polarity_size_and_place_do_not_matter(searcher: Searcher) -> None:
    mark = drawn_mark(5)
    wide = np.full((160, 200, 3), 255, np.uint8)
    wide[70:130, 30:90] = mark
    for variant in (255 - mark, wide):
        (hits,) = search_images(searcher, [variant], scope=Scope(top=1))
        assert hits[0].source == "5.png"
        assert hits[0].score > 0.99


def test_top_may_exceed_the_archive(searcher: Searcher) -> None:
    (hits,) = search_images(searcher, [drawn_mark(0)], scope=Scope(top=1000))
    assert len(hits) == 20


@pytest.mark.parametrize(
    ("where", "sources"),
    [
        (Filters(series="HCA 30"), set(range(8, 16))),
        (Filters(ship="De Hoop"), set(range(8))),
        (Filters(year_from=1704, year_to=1710), set(range(8))),
        (Filters(year_to=1701), set()),
        (Filters(year_from=1700), set(range(16))),
    ],
)
def test_filters(searcher: Searcher, where: Filters, sources: set[int]) -> None:
    (hits,) = search_images(searcher, [drawn_mark(2)], scope=Scope(top=50, where=where))
    assert {hit.source for hit in hits} == {f"{seed}.png" for seed in sources}
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_more_like_this_leaves_the_query_out(searcher: Searcher) -> None:
    hits = search_marks(searcher, [4], scope=Scope(top=6))
    assert len(hits) == 6
    assert 4 not in {hit.mark for hit in hits}
    assert [hit.rank for hit in hits] == list(range(1, 7))


def test_disliked_marks_go_down(searcher: Searcher) -> None:
    plain = search_marks(searcher, [4], scope=Scope(top=19))
    second = plain[0].mark
    hits = search_marks(searcher, [4], [second], scope=Scope(top=19))
    assert second not in {hit.mark for hit in hits}
    assert {hit.mark for hit in hits} == {hit.mark for hit in plain} - {second}


@pytest.mark.parametrize("ways", [(UPRIGHT,), EIGHT])
def test_disliked_marks_push_a_picture_away(
    searcher: Searcher, ways: tuple[Orientation, ...]
) -> None:
    queries = [drawn_mark(40), drawn_mark(41)]
    plain = search_images(searcher, queries, scope=Scope(top=20, ways=ways))
    disliked = plain[0][0].mark
    for query, before, hits in zip(
        queries,
        plain,
        search_images(searcher, queries, [disliked], scope=Scope(top=18, ways=ways)),
        strict=True,
    ):
        assert len(hits) == 18 and disliked not in {hit.mark for hit in hits}
        assert [hit.rank for hit in hits] == list(range(1, 19))
        scores = {hit.mark: hit.score for hit in before}
        assert all(hit.score != pytest.approx(scores[hit.mark], abs=1e-3) for hit in hits)
        pushed = query_vectors(searcher, [query], ways)[0]
        pushed = pushed - DISLIKE * stored_vectors(searcher.index, [disliked])
        pushed /= np.linalg.norm(pushed, axis=1, keepdims=True)
        among = np.setdiff1d(searcher.index.marks, [disliked])
        exact, _ = nearest(searcher.index, pushed.astype(np.float32), 1, among)
        assert hits[0].score == pytest.approx(float(exact.max()), abs=1e-5)


def test_nonsense_is_refused_with_a_sentence(searcher: Searcher) -> None:
    with pytest.raises(QueryError, match="at least one mark"):
        search_marks(searcher, [])
    for absent in (999, 99999999999999999999):
        with pytest.raises(QueryError, match=f"Mark {absent} is not in the index"):
            search_marks(searcher, [absent])
        with pytest.raises(QueryError, match=f"Mark {absent} is not in the index"):
            search_images(searcher, [drawn_mark(0)], [absent])
    with pytest.raises(QueryError, match="Mark 5 is both liked and disliked"):
        search_marks(searcher, [4, 5], [5, 6])
    with pytest.raises(QueryError, match="top = 0"):
        search_images(searcher, [drawn_mark(0)], scope=Scope(top=0))


@pytest.mark.parametrize(
    "bare",
    [
        np.full((400, 400, 3), 255, np.uint8),
        np.full((40, 60, 3), (200, 180, 150), np.uint8),
        np.full((1, 1), 255, np.uint8),
        np.zeros((50, 50, 4), np.uint8),
    ],
)
def test_bare_paper_is_like_nothing_and_its_places_are_told(
    searcher: Searcher, bare: np.ndarray
) -> None:
    with pytest.raises(NoInk, match="This picture has no ink") as refused:
        search_images(searcher, [bare, drawn_mark(3), bare], scope=Scope(ways=EIGHT))
    assert refused.value.at == (0, 2)


@pytest.mark.parametrize("ways", [(UPRIGHT,), EIGHT])
@pytest.mark.parametrize("indexed", [True, False])
def test_a_mark_without_ink_is_like_nothing_and_is_named(
    searcher: Searcher, indexed: bool, ways: tuple[Orientation, ...]
) -> None:
    more, bare = _add_picture(searcher, np.full((60, 60, 3), 255, np.uint8), "bare.png")
    asked = more if indexed else searcher
    assert (bare in asked.index.marks) is indexed
    said = f"The picture of mark {bare} has no ink, so there is nothing to compare"
    for search in (
        lambda: search_marks(asked, [4, bare], scope=Scope(ways=ways)),
        lambda: search_marks(asked, [4], [bare], scope=Scope(ways=ways)),
        lambda: search_images(asked, [drawn_mark(3)], [bare], scope=Scope(ways=ways)),
    ):
        with pytest.raises(QueryError, match=said) as refused:
            search()
        assert not isinstance(refused.value, NoInk), "it is not the picture that was given"


def test_no_pictures_no_lists(searcher: Searcher) -> None:
    assert search_images(searcher, []) == []


@pytest.mark.parametrize(
    ("turn", "way"),
    [
        (lambda mark: mark, UPRIGHT),
        (lambda mark: np.rot90(mark), Orientation(turned=90)),  # anticlockwise: turn it back
        (lambda mark: np.rot90(mark, 2), Orientation(turned=180)),
        (lambda mark: mark[:, ::-1], Orientation(mirrored=True)),
        (lambda mark: mark[::-1], Orientation(mirrored=True, turned=180)),
    ],
)
def test_a_turned_query_finds_its_mark_and_says_how_it_was_held(
    searcher: Searcher, turn, way: Orientation
) -> None:
    query = np.ascontiguousarray(turn(drawn_mark(3)))
    (hits,) = search_images(searcher, [query], scope=Scope(top=5, ways=EIGHT))
    assert (hits[0].source, hits[0].held) == ("3.png", way)
    assert hits[0].score > 0.98
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]


def test_a_query_is_turned_and_mirrored_only_if_asked(searcher: Searcher) -> None:
    query = np.ascontiguousarray(drawn_mark(3)[:, ::-1])
    (plain,) = search_images(searcher, [query], scope=Scope(top=20))
    assert {hit.held for hit in plain} == {UPRIGHT}
    (turned,) = search_images(
        searcher, [query], scope=Scope(top=20, ways=orientations(turned=True))
    )
    assert not any(hit.held.mirrored for hit in turned)
    score = {hit.source: hit.score for hit in plain}["3.png"]
    (both,) = search_images(
        searcher, [query], scope=Scope(top=20, ways=orientations(mirrored=True))
    )
    assert both[0].source == "3.png"
    assert both[0].score > score + 0.001


def test_a_mark_counts_once_by_its_best_way(searcher: Searcher) -> None:
    queries = [drawn_mark(40), drawn_mark(41)]
    lists = search_images(searcher, queries, scope=Scope(top=20, ways=EIGHT))
    for query, hits in zip(queries, lists, strict=True):
        assert len({hit.mark for hit in hits}) == len(hits) == 20
        apart = [
            search_images(searcher, [query], scope=Scope(top=20, ways=[way]))[0] for way in EIGHT
        ]
        best: dict[int, float] = {}
        for hit in (hit for single in apart for hit in single):
            best[hit.mark] = max(best.get(hit.mark, -1.0), hit.score)
        assert {hit.mark: hit.score for hit in hits} == pytest.approx(best, abs=1e-5)
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        (few,) = search_images(searcher, [query], scope=Scope(top=4, ways=EIGHT))
        assert [hit.mark for hit in few] == [hit.mark for hit in hits[:4]]


def test_eight_ways_are_eight_chances(searcher: Searcher) -> None:
    (one,) = search_images(searcher, [drawn_mark(3)], scope=Scope(top=1))
    (eight,) = search_images(searcher, [drawn_mark(3)], scope=Scope(top=20, ways=EIGHT))
    assert eight[0].unrelated == pytest.approx(8 * one[0].unrelated, rel=0.2)
    assert max(hit.unrelated for hit in eight) <= 1


def test_what_is_rare_is_another_for_a_mark_of_the_archive_than_for_a_picture(
    searcher: Searcher,
) -> None:
    index = searcher.index
    (by_picture,) = search_images(searcher, [drawn_mark(3)], scope=Scope(top=20))
    by_mark = search_marks(searcher, [index.marks.tolist()[3]], scope=Scope(top=20))
    for hits, meant in ((by_picture, index.scores), (by_mark, index.scores_of_marks)):
        scores = np.array([hit.score for hit in hits], np.float32)
        assert [hit.unrelated for hit in hits] == pytest.approx(meant.unrelated(scores).tolist())
    near = np.array([by_mark[0].score], np.float32)
    assert index.scores_of_marks.unrelated(near) > index.scores.unrelated(near)


def test_filters_hold_in_every_way(searcher: Searcher) -> None:
    query = np.ascontiguousarray(np.rot90(drawn_mark(3)))
    (hits,) = search_images(
        searcher, [query], scope=Scope(top=50, where=Filters(series="HCA 30"), ways=EIGHT)
    )
    assert {hit.source for hit in hits} == {f"{seed}.png" for seed in range(8, 16)}


@pytest.mark.parametrize("ways", [(UPRIGHT,), EIGHT])
@pytest.mark.parametrize("where", [Filters(), Filters(year_from=1700)])
def test_others_take_the_places_of_marks_that_went_since_the_index_was_read(
    searcher: Searcher, ways: tuple[Orientation, ...], where: Filters
) -> None:
    query = drawn_mark(3)
    (before,) = search_images(searcher, [query], scope=Scope(top=16, where=where, ways=ways))
    *rejected, deleted = gone = [hit.mark for hit in before[:9]]
    with searcher.archive.session() as session:
        for mark in rejected:
            session.get_one(tables.Mark, mark).status = "rejected"
        session.execute(delete(tables.Mark).where(tables.Mark.id == deleted))
    left = [hit.mark for hit in before[9:]]
    (hits,) = search_images(searcher, [query], scope=Scope(top=5, where=where, ways=ways))
    assert [hit.mark for hit in hits] == left[:5]
    (but,) = search_images(searcher, [query], scope=Scope(top=1, where=where, ways=ways))
    assert [hit.mark for hit in but] == left[:1]
    hits = search_marks(searcher, [left[0]], scope=Scope(top=6, where=where, ways=ways))
    assert len(hits) == 6 and not {hit.mark for hit in hits} & {left[0], *gone}
    (every,) = search_images(searcher, [query], scope=Scope(top=100, where=where, ways=ways))
    assert len(every) == (11 if where == Filters() else 7)


def test_a_mark_that_is_not_indexed_yet_is_looked_for_by_its_crop(searcher: Searcher) -> None:
    (new,) = add_marks(searcher.archive, range(100, 101))
    with searcher.archive.session() as session:
        session.get_one(tables.Mark, new).crop = session.get_one(tables.Mark, 6).crop
    for ways in ((UPRIGHT,), EIGHT):
        hits = search_marks(searcher, [new], scope=Scope(top=20, ways=ways))
        assert (hits[0].mark, len(hits)) == (6, 20)
        assert hits[0].score == pytest.approx(1, abs=1e-4)
    both = [hit.mark for hit in search_marks(searcher, [new, 3], [4], scope=Scope(top=20))]
    same = [hit.mark for hit in search_marks(searcher, [6, 3], [4], scope=Scope(top=20))]
    assert [mark for mark in both if mark != 6] == same
    with searcher.archive.session() as session:
        session.get_one(tables.Mark, new).status = "rejected"
    with pytest.raises(QueryError, match="does not exist or was rejected"):
        search_marks(searcher, [new])


def test_a_mark_whose_box_was_corrected_is_as_one_that_is_not_indexed_yet(
    searcher: Searcher,
) -> None:
    archive, model = searcher.archive, searcher.model
    with archive.session() as session:
        session.get_one(tables.Mark, 12).crop = session.get_one(tables.Mark, 6).crop
        assert number_to_embed(session, model.id, SEEN) == 1
    with archive.lock():  # while a long job holds it, searches use the index as it was
        held = Searcher(archive, model, index_to_search(archive, model))
    now = Searcher(archive, model, index_to_search(archive, model))
    assert (len(held.index), len(now.index)) == (20, 19)
    for one in (searcher, held, now):
        hits = search_marks(one, [12], scope=Scope(top=20))
        assert (hits[0].mark, len(hits)) == (6, 19)
        assert hits[0].score == pytest.approx(1, abs=1e-4)
        (others,) = search_images(one, [drawn_mark(11)], scope=Scope(top=20))
        assert len(others) == 19 and 12 not in [hit.mark for hit in others]
    refresh_index(archive, model)
    assert search_marks(load(archive, model), [6], scope=Scope(top=1))[0].mark == 12


def load(archive: Archive, model: Model) -> Searcher:
    return Searcher(archive, model, load_index(archive, model))


def _add_picture(searcher: Searcher, image: np.ndarray, name: str) -> tuple[Searcher, int]:
    """Put one more mark into the archive; return the searcher that knows it, and its id."""
    archive = searcher.archive
    (mark,) = add_marks(archive, range(100, 101))
    with archive.session() as session:
        row = session.get(tables.Mark, mark)
        assert row is not None
        row.crop = write_crop(archive.crops_folder, np.ascontiguousarray(image))
        row.page.source = name
    refresh_index(archive, searcher.model)
    return Searcher(archive, searcher.model, load_index(archive, searcher.model)), mark


def test_marks_of_the_archive_are_turned_by_their_crops(searcher: Searcher) -> None:
    more, turned = _add_picture(searcher, np.rot90(drawn_mark(5), -1), "turned.png")
    hits = search_marks(more, [6], scope=Scope(top=3, ways=EIGHT))  # mark 6 is 5.png
    assert (hits[0].source, hits[0].held) == ("turned.png", Orientation(turned=90))
    plain = search_marks(more, [6], scope=Scope(top=20))
    assert {hit.held for hit in plain} == {UPRIGHT}
    score = {hit.mark: hit.score for hit in plain}[turned]
    assert hits[0].score > score + 0.001


def test_liked_marks_are_laid_alike_before_they_are_averaged(searcher: Searcher) -> None:
    more, turned = _add_picture(searcher, np.rot90(drawn_mark(5)), "turned.png")
    more, again = _add_picture(more, drawn_mark(5)[:, ::-1], "mirrored.png")
    hits = search_marks(more, [6, turned], scope=Scope(top=3, ways=EIGHT))
    assert (hits[0].mark, hits[0].held) == (again, Orientation(mirrored=True))
    assert hits[0].score > 0.98


def test_a_mark_whose_crop_is_gone_cannot_be_turned(searcher: Searcher) -> None:
    with searcher.archive.session() as session:
        row = session.get(tables.Mark, 4)
        assert row is not None
        crop_path(searcher.archive, row.crop).unlink()
    assert search_marks(searcher, [4], scope=Scope(top=3))
    with pytest.raises(ArchiveError, match="cannot be read"):
        search_marks(searcher, [4], scope=Scope(top=3, ways=EIGHT))


def test_a_mark_deleted_meanwhile_is_said_to_be_gone(searcher: Searcher) -> None:
    with searcher.archive.session() as session:
        session.execute(delete(tables.Embedding).where(tables.Embedding.mark_id == 4))
        session.execute(delete(tables.Mark).where(tables.Mark.id == 4))
    with pytest.raises(QueryError, match="Mark 4 is not in the index"):
        search_marks(searcher, [4], scope=Scope(ways=EIGHT))


@pytest.mark.parametrize("ways", [(UPRIGHT,), EIGHT])
@pytest.mark.parametrize("how", ["rejected", "deleted"])
def test_a_mark_that_went_since_the_index_was_read_shapes_no_query(
    searcher: Searcher, how: str, ways: tuple[Orientation, ...]
) -> None:
    with searcher.archive.session() as session:
        if how == "rejected":
            session.get_one(tables.Mark, 4).status = "rejected"
        else:
            session.execute(delete(tables.Mark).where(tables.Mark.id == 4))
    said = "Mark 4 is not in the index: it does not exist or was rejected"
    with pytest.raises(QueryError, match=said):
        search_marks(searcher, [5, 4], scope=Scope(ways=ways))
    with pytest.raises(QueryError, match=said):
        search_marks(searcher, [5], [6, 4], scope=Scope(ways=ways))
    with pytest.raises(QueryError, match=said):
        search_images(searcher, [drawn_mark(3)], [4], scope=Scope(ways=ways))


def test_the_marks_of_a_query_are_asked_for_once(searcher: Searcher) -> None:
    asked: list[str] = []

    @event.listens_for(searcher.archive.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM marks" in statement and "marks.crop" in statement:
            asked.append(statement)

    search_marks(searcher, [4, 5], [6], scope=Scope(ways=EIGHT))
    assert len(asked) == 2, "for the query, and for the results"
