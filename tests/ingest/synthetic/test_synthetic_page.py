from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingest.synthetic.page import draw_page
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
