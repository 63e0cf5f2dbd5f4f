from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("skimage", reason="scikit-image is needed only to remake glyphs.npz")

from retrieval.strokes.program import Program, line
from tools.glyphs.scripts import SOURCES
from tools.glyphs.trace import Traced, packed


def test_packing_keeps_flags_and_counts() -> None:
    program = Program((line((0.5, 0), (0.5, 1)), line((0, 0.5), (1, 0.5))))
    font = SOURCES[0].fonts[0]
    arrays = packed([Traced(program, "Signs", 0x2B, font)] * 2)
    assert arrays["strokes_per_glyph"].tolist() == [2, 2]
    assert int(np.sum(arrays["points_per_stroke"], dtype=np.int64)) == len(arrays["points"])
    assert arrays["scripts"].tolist() == ["Signs"]
    assert arrays["fonts"].tolist()[0][0] == font.package
    assert not any(array.dtype.hasobject for array in arrays.values())
