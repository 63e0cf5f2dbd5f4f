from __future__ import annotations

import numpy as np

from benchmarks.synthetic import drawn_crop
from ingest.synthetic.page import identity_program


def test_a_crop_depends_on_its_program_and_seed_alone() -> None:
    programs = [identity_program(5, identity) for identity in (1, 2)]
    first = drawn_crop(programs[0], [5, 0], 96)
    assert first.ndim == 3 and max(first.shape) <= 96
    assert np.array_equal(first, drawn_crop(programs[0], [5, 0], 96))
    for other in (drawn_crop(programs[0], [5, 1], 96), drawn_crop(programs[1], [5, 0], 96)):
        assert not np.array_equal(first, other)
    assert first.min() < first.mean() - 30
