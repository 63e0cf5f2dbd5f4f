from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingest.synthetic.handwriting import Writing, ink_writing, random_scribe, text_width, write_word
from ingest.synthetic.page import draw_page
from ingest.synthetic.paper import draw_paper, random_sheet
from ingest.synthetic.records import KINDS, Kind, plan_documents


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("marks", [0, 1, 4])
def test_every_kind_of_page_bears_the_marks_it_should(kind: Kind, marks: int) -> None:
    document = replace(plan_documents(1, 5, 1)[0], kind=kind, identities=tuple(range(marks)))
    page = draw_page(document, seed=1, index=0, size=(700, 900))
    assert page.image.shape == (900, 700, 3) and page.image.dtype == np.uint8
    if kind == "journal":
        assert page.marks == ()
    else:
        assert {mark.identity for mark in page.marks} <= set(range(marks))
        assert len(page.marks) >= min(marks, 2)


def test_a_page_depends_on_seed_and_number_alone() -> None:
    document = plan_documents(1, 5, 1)[0]
    first = draw_page(document, seed=1, index=3, size=(700, 900))
    draw_page(document, seed=1, index=4, size=(700, 900))
    again = draw_page(document, seed=1, index=3, size=(700, 900))
    assert np.array_equal(first.image, again.image) and first.marks == again.marks


def test_marks_move_with_the_page_size() -> None:
    document = replace(plan_documents(1, 5, 1)[0], kind="letter", identities=(0,))
    small = draw_page(document, seed=1, index=0, size=(700, 1000)).marks[0]
    large = draw_page(document, seed=1, index=0, size=(1400, 2000)).marks[0]
    assert large.width == pytest.approx(2 * small.width, rel=0.25, abs=6)


def test_writing_is_inked_where_it_was_set() -> None:
    rng = np.random.default_rng(0)
    scribe = random_scribe(rng, 20)
    writing = Writing()
    end = write_word(writing, scribe, "Compagnie", 50, 100, rng)
    ink = ink_writing(writing, (400, 200))
    rows, columns = np.nonzero(ink > 100)
    assert 30 < columns.min() < 75 and columns.max() < end + 40
    assert 40 < rows.min() < 80 and 95 < rows.max() < 150
    assert text_width(scribe, "Compagnie") == pytest.approx(end - 50, rel=0.25)


def test_accents_and_unknown_signs_do_not_stop_the_pen() -> None:
    rng = np.random.default_rng(0)
    scribe = random_scribe(rng, 20)
    writing = Writing()
    assert write_word(writing, scribe, "Cádiz København ’§", 0, 0, rng) > 100
    assert ink_writing(Writing(), (30, 20)).shape == (20, 30)


def test_paper_is_blank_and_light() -> None:
    for seed in range(5):
        planes = draw_paper(np.random.default_rng(seed), (300, 400))
        assert planes.shape == (3, 400, 300)
        assert np.median(planes) > 130
        assert np.median(planes[0]) > np.median(planes[2])  # yellowish, never blue


def test_a_sheet_is_skewed_by_two_degrees_at_most() -> None:
    turns = [abs(random_sheet(np.random.default_rng(s), (700, 900)).turn) for s in range(200)]
    assert max(turns) <= np.deg2rad(2) + 1e-9
    assert np.mean(turns) > np.deg2rad(0.2)
