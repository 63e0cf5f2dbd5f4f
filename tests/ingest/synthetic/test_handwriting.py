from __future__ import annotations

import numpy as np
import pytest

from ingest.synthetic.handwriting import Writing, ink_writing, random_scribe, text_width, write_word


def test_writing_is_inked_where_it_was_set() -> None:
    rng = np.random.default_rng(0)
    scribe = random_scribe(rng, 20)
    writing = Writing()
    end = write_word(writing, scribe, "Compagnie", (50, 100), rng)
    ink = ink_writing(writing, (400, 200))
    rows, columns = np.nonzero(ink > 100)
    assert 30 < columns.min() < 75 and columns.max() < end + 40
    assert 40 < rows.min() < 80 and 95 < rows.max() < 150
    assert text_width(scribe, "Compagnie") == pytest.approx(end - 50, rel=0.25)


def test_accents_and_unknown_signs_do_not_stop_the_pen() -> None:
    rng = np.random.default_rng(0)
    scribe = random_scribe(rng, 20)
    writing = Writing()
    assert write_word(writing, scribe, "Cádiz København ’§", (0, 0), rng) > 100
    assert ink_writing(Writing(), (30, 20)).shape == (20, 30)
