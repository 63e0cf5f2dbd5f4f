from __future__ import annotations

import numpy as np
import pytest

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import QueryError
from retrieval.index import load_index, refresh_index
from retrieval.model import Model
from retrieval.search import Filters, Searcher, search_images, search_marks
from tests.drawn_marks import add_marks, drawn_mark


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


def test_a_picture_of_a_mark_finds_it_first(searcher: Searcher) -> None:
    for seed in (3, 11):
        (hits,) = search_images(searcher, [drawn_mark(seed)], top=5)
        assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
        assert hits[0].source == f"{seed}.png"
        assert hits[0].score == pytest.approx(1, abs=1e-4)
        assert hits[0].box == (0, 0, 60, 60)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_document_stands_beside_the_mark(searcher: Searcher) -> None:
    (hits,) = search_images(searcher, [drawn_mark(3)], top=1)
    assert hits[0].document is not None
    assert hits[0].document["reference"] == "HCA 32/1"
    assert hits[0].document["ship"] == "De Hoop"
    (hits,) = search_images(searcher, [drawn_mark(17)], top=1)
    assert hits[0].document is None


def test_polarity_size_and_place_do_not_matter(searcher: Searcher) -> None:
    mark = drawn_mark(5)
    wide = np.full((160, 200, 3), 255, np.uint8)
    wide[70:130, 30:90] = mark
    for variant in (255 - mark, wide):
        (hits,) = search_images(searcher, [variant], top=1)
        assert hits[0].source == "5.png"
        assert hits[0].score > 0.99


def test_top_may_exceed_the_archive(searcher: Searcher) -> None:
    (hits,) = search_images(searcher, [drawn_mark(0)], top=1000)
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
    (hits,) = search_images(searcher, [drawn_mark(2)], top=50, where=where)
    assert {hit.source for hit in hits} == {f"{seed}.png" for seed in sources}
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_more_like_this_leaves_the_query_out(searcher: Searcher) -> None:
    hits = search_marks(searcher, [4], top=6)
    assert len(hits) == 6
    assert 4 not in {hit.mark for hit in hits}
    assert [hit.rank for hit in hits] == list(range(1, 7))


def test_disliked_marks_go_down(searcher: Searcher) -> None:
    plain = search_marks(searcher, [4], top=19)
    second = plain[0].mark
    hits = search_marks(searcher, [4], [second], top=19)
    assert second not in {hit.mark for hit in hits}
    assert {hit.mark for hit in hits} == {hit.mark for hit in plain} - {second}


def test_nonsense_is_refused_with_a_sentence(searcher: Searcher) -> None:
    with pytest.raises(QueryError, match="at least one mark"):
        search_marks(searcher, [])
    with pytest.raises(QueryError, match="Mark 999 is not in the index"):
        search_marks(searcher, [999])
    with pytest.raises(QueryError, match="top = 0"):
        search_images(searcher, [drawn_mark(0)], top=0)


def test_no_pictures_no_lists(searcher: Searcher) -> None:
    assert search_images(searcher, []) == []
