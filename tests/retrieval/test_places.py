from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update

from retrieval.catalogue import tables
from retrieval.catalogue.archive import Archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import ModelError, QueryError
from retrieval.embedding import embed_pictures
from retrieval.index import load_index, refresh_index
from retrieval.model import Model
from retrieval.orientation import UPRIGHT, orientations
from retrieval.places import (
    HANDICAP,
    Place,
    find_places,
    has_pages,
    has_places,
    load_places,
    one_place,
)
from retrieval.search import Hit, Scope, Searcher, search_marks, together
from retrieval.shards import (
    PageKey,
    PageRegions,
    coded,
    decoded,
    in_pixels,
    parts_of_sides,
    shards_folder,
    write_shard,
)
from retrieval.vectors import unit
from tests.drawn_marks import add_marks

DIMENSIONS = 128
SIZE = (1000, 800)


def look(seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(1, DIMENSIONS)))[0]


def add_page(
    archive: Archive,
    number: int,
    marks: Sequence[tuple[int, int, int, int]] = (),
    status: str = "proposed",
    **document: object,
) -> int:
    with archive.session() as session:
        owner = tables.Document(details={}, **document) if document else None
        page = tables.Page(
            document=owner, source=f"{number}.png", location=f"/nowhere/{number}.png",
            width=SIZE[0], height=SIZE[1], sha256=f"{number:064x}", size=1, mtime_ns=1,
            segmenter="test",
        )  # fmt: skip
        session.add(page)
        session.flush()
        for x, y, width, height in marks:
            mark = tables.Mark(
                page_id=page.id, x=x, y=y, width=width, height=height, status=status,
                origin="test", crop="0" * 64,
            )  # fmt: skip
            session.add(mark)
        return page.id


def regions(number: int, *found: tuple[tuple[int, int, int, int], np.ndarray]) -> PageRegions:
    boxes = np.array([box for box, _ in found], np.int64).reshape(-1, 4)
    vectors = np.array([vector for _, vector in found], np.float32).reshape(-1, DIMENSIONS)
    slid = np.zeros(len(boxes), bool)
    return PageRegions(
        PageKey(f"{number:064x}", 0), parts_of_sides(boxes, SIZE), slid, coded(vectors)
    )


def shelved(archive: Archive, model: Model, *pages: PageRegions) -> None:
    write_shard(shards_folder(archive, model.id), "test", pages)


def near(vector: np.ndarray, share: float, seed: int) -> np.ndarray:
    mixed = vector * share + look(seed) * (1 - share)
    return unit(mixed[None])[0]


def test_the_nearest_regions_come_first_each_place_once(
    archive: Archive, tiny_model: Model
) -> None:
    first, second = add_page(archive, 1), add_page(archive, 2)
    wanted = look(0)
    shelved(
        archive,
        tiny_model,
        regions(
            1,
            ((100, 100, 80, 80), near(wanted, 0.8, 1)),
            ((110, 105, 80, 80), near(wanted, 0.7, 2)),  # nearly the same place
            ((100, 100, 150, 120), near(wanted, 0.75, 3)),  # the whole of which it is a part
            ((500, 500, 90, 60), near(wanted, 0.6, 4)),
        ),
        regions(2, ((10, 20, 30, 40), near(wanted, 0.9, 5)), ((600, 20, 30, 40), look(6))),
    )
    places = load_places(archive, tiny_model)
    assert len(places) == 6
    found = find_places(archive, places, wanted[None], [UPRIGHT], 3)
    assert [(place.page, place.box) for place in found] == [
        (second, (10, 20, 30, 40)),
        (first, (100, 100, 80, 80)),
        (first, (500, 500, 90, 60)),
    ]
    assert [place.rank for place in found] == [1, 2, 3]
    for place, share, seed in zip(found, (0.9, 0.8, 0.6), (5, 1, 4), strict=True):
        exact = float(near(wanted, share, seed) @ wanted)
        assert place.score == pytest.approx(exact, abs=0.01), "a byte a component is enough"
    assert all(0 < place.unrelated <= 1 for place in found)
    assert found[0].document is None and found[0].source == "2.png"


def test_many_regions_are_loaded_without_a_copy_of_them_all(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.places._ADDED", 2_000)
    monkeypatch.setattr("retrieval.places._SAMPLE", 1)  # what a likeness means costs the same
    rng = np.random.default_rng(0)
    known = [
        PageRegions(
            PageKey(f"{number:064x}", 0),
            rng.integers(0, 65_536, (500, 4)).astype(np.uint16),
            rng.random(500) < 0.5,
            rng.integers(-127, 128, (500, DIMENSIONS)).astype(np.int8),
        )
        for number in range(100)
    ]
    for number, one in enumerate(known):
        add_page(archive, number)
        shelved(archive, tiny_model, one)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        places = load_places(archive, tiny_model)
        held, most = (size - before for size in tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()
    assert len(places) == 50_000
    assert held < 20 * 50_000, "with the vectors, which FAISS holds, 141 bytes each"
    assert most < 100 * 50_000
    in_folder = {page.page.sha256: page for page in known}
    with archive.session() as session:
        contents = {page.id: page.sha256 for page in session.query(tables.Page)}
    rows = rng.permutation(50_000)[:300]
    for row, page, box in zip(rows, places.pages_of(rows), places.boxes_of(rows), strict=True):
        one = in_folder[contents[int(page)]]
        at = int(row) % 500
        np.testing.assert_array_equal(box, in_pixels(one.boxes[at], np.array(SIZE)))
        assert places.slid[row] == one.slid[at]
        vector = places.codes.reconstruct(int(row))
        np.testing.assert_allclose(vector, decoded(one.codes[at]), atol=1e-6)


def test_a_square_slid_over_the_page_gives_way_to_what_fits(
    archive: Archive, tiny_model: Model
) -> None:
    add_page(archive, 1)
    wanted = look(0)
    close, loose = (100, 100, 80, 80), (90, 90, 110, 110)
    known = regions(
        1,
        (loose, near(wanted, 0.8, 1)),
        (close, near(wanted, 0.75, 2)),
        ((500, 500, 80, 80), near(wanted, 0.9, 3)),
    )
    shelved(archive, tiny_model, replace(known, slid=np.array([True, False, True])))
    found = find_places(archive, load_places(archive, tiny_model), wanted[None], [UPRIGHT], 5)
    assert [place.box for place in found] == [close, (500, 500, 80, 80)]
    exact = float(near(wanted, 0.9, 3) @ wanted)
    assert found[1].score == pytest.approx(exact - HANDICAP, abs=0.01)


@pytest.mark.parametrize("status", ["proposed", "confirmed", "rejected"])
def test_a_region_on_a_mark_is_left_to_it(archive: Archive, tiny_model: Model, status: str) -> None:
    page = add_page(archive, 1, [(100, 100, 80, 80)], status)
    wanted = look(0)
    shelved(
        archive,
        tiny_model,
        regions(1, ((95, 98, 90, 84), wanted), ((400, 300, 50, 50), near(wanted, 0.5, 1))),
    )
    found = find_places(archive, load_places(archive, tiny_model), wanted[None], [UPRIGHT], 5)
    assert [(place.page, place.box) for place in found] == [(page, (400, 300, 50, 50))]


def test_as_many_are_looked_at_as_it_takes(archive: Archive, tiny_model: Model) -> None:
    """Hundreds of regions on one mark must not hide the one that lies elsewhere."""
    add_page(archive, 1, [(100, 100, 80, 80)])
    wanted = look(0)
    on_mark = [((100, 100, 80, 80), near(wanted, 0.9, seed)) for seed in range(400)]
    shelved(archive, tiny_model, regions(1, *on_mark, ((700, 500, 60, 60), look(999))))
    found = find_places(archive, load_places(archive, tiny_model), wanted[None], [UPRIGHT], 1)
    assert [place.box for place in found] == [(700, 500, 60, 60)]


def test_only_documents_that_fit_and_pages_as_they_are(archive: Archive, tiny_model: Model) -> None:
    wanted = look(0)
    hoop = add_page(archive, 1, reference="HCA 32/1", series="HCA 32", ship="De Hoop")
    add_page(archive, 2, reference="HCA 30/7", series="HCA 30", ship="Amity")
    shelved(
        archive,
        tiny_model,
        *(regions(number, ((9, 9, 50, 50), wanted)) for number in (1, 2, 3)),  # 3 is gone
    )
    places = load_places(archive, tiny_model)
    assert len(places) == 2
    found = find_places(archive, places, wanted[None], [UPRIGHT], 9, Filters(ship="De Hoop"))
    assert [place.page for place in found] == [hoop]
    assert found[0].document is not None and found[0].document["reference"] == "HCA 32/1"
    assert find_places(archive, places, wanted[None], [UPRIGHT], 9, Filters(ship="none")) == []
    with pytest.raises(QueryError):
        find_places(archive, places, wanted[None], [UPRIGHT], 0)


def test_a_query_held_in_several_ways_finds_by_the_best(
    archive: Archive, tiny_model: Model
) -> None:
    add_page(archive, 1)
    shelved(archive, tiny_model, regions(1, ((9, 9, 50, 50), look(0)), ((500, 9, 50, 50), look(1))))
    places = load_places(archive, tiny_model)
    turned = replace(UPRIGHT, turned=90)
    found = find_places(archive, places, np.stack([look(7), look(1)]), [UPRIGHT, turned], 1)
    assert found[0].box == (500, 9, 50, 50) and found[0].held == turned
    alone = find_places(archive, places, look(1)[None], [turned], 1)
    assert found[0].unrelated == pytest.approx(min(1, 2 * alone[0].unrelated))


def test_a_search_by_marks_embeds_their_crops_once(
    archive: Archive, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    liked, disliked, *others = add_marks(archive, range(6))
    refresh_index(archive, tiny_model)
    page = add_page(archive, 50)
    shelved(archive, tiny_model, regions(50, ((9, 9, 50, 50), look(0))))
    searcher = Searcher(archive, tiny_model, load_index(archive, tiny_model))
    places = load_places(archive, tiny_model)
    ways = orientations(turned=True, mirrored=True)
    alone = search_marks(searcher, [liked], [disliked], scope=Scope(ways=ways))
    embedded: list[int] = []

    def counting(model: Model, pictures: np.ndarray) -> np.ndarray:
        embedded.append(len(pictures))
        return embed_pictures(model, pictures)

    monkeypatch.setattr("retrieval.search.embed_pictures", counting)
    found = search_marks(searcher, [liked], [disliked], scope=Scope(places=places, ways=ways))
    assert embedded == [8]
    assert [one.page for one in found if isinstance(one, Place)] == [page]
    hits = [one for one in found if isinstance(one, Hit)]
    assert {hit.mark for hit in hits} == set(others)
    assert [(hit.mark, hit.score, hit.held) for hit in hits] == [
        (hit.mark, hit.score, hit.held) for hit in alone
    ]


def test_pages_that_nobody_looked_through_say_what_to_run(
    archive: Archive, tiny_model: Model
) -> None:
    add_marks(archive, range(1))
    with archive.session() as session:
        session.execute(update(tables.Page).values(segmenter="strokes-6"))
    assert not has_places(archive, tiny_model.id)
    with pytest.raises(ModelError, match=r"index .* --everywhere"):
        load_places(archive, tiny_model)


def test_where_there_are_crops_alone_there_are_no_places(
    archive: Archive, tiny_model: Model
) -> None:
    marks = add_marks(archive, range(3))
    refresh_index(archive, tiny_model)
    assert not has_pages(archive)
    places = load_places(archive, tiny_model)
    assert len(places) == 0
    searcher = Searcher(archive, tiny_model, load_index(archive, tiny_model))
    found = search_marks(searcher, marks[:1], scope=Scope(places=places, where=Filters()))
    assert {one.mark for one in found if isinstance(one, Hit)} == set(marks[1:])
    assert len(found) == 2


def test_marks_and_places_stand_in_one_list() -> None:
    hits = [
        Hit(
            rank=rank,
            mark=rank,
            score=score,
            unrelated=0.1,
            source="s",
            page=1,
            box=(0, 0, 1, 1),
            crop="0" * 64,
            status="proposed",
            document=None,
        )
        for rank, score in enumerate([0.9, 0.5], start=1)
    ]
    first, second = (
        Place(
            rank=rank,
            score=score,
            unrelated=0.1,
            source="s",
            page=2,
            box=(5 * rank, 5, 1, 1),
            document=None,
        )
        for rank, score in enumerate([0.9, 0.7], start=1)
    )
    both = together(hits, [first, second], 3)
    assert both == [hits[0], replace(first, rank=2), replace(second, rank=3)]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ((100, 100, 100, 100), True),
        ((120, 120, 100, 100), True),
        ((125, 125, 50, 50), True),  # a part, a quarter of it
        ((140, 140, 20, 20), False),  # a detail
        ((0, 0, 900, 700), False),  # a page that holds it
        ((200, 100, 100, 100), False),  # beside it
    ],
)
def test_what_is_one_place(other: tuple[int, int, int, int], same: bool) -> None:
    box = np.array([100, 100, 100, 100])
    assert one_place(box, np.array([other]))[0] == same
    assert one_place(np.array(other), box[None])[0] == same
