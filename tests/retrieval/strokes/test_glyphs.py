from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from retrieval.strokes.glyphs import load_glyphs, random_glyph

HELD_OUT = {
    "ARAMAIC",
    "BALINESE",
    "BATAK",
    "BRAHMI",
    "BUGINESE",
    "BUHID",
    "DEVANAGARI",
    "DOGRA",
    "ELYMAIC",
    "HANGUL",
    "HANUNOO",
    "HATRAN",
    "HIRAGANA",
    "JAVANESE",
    "KAITHI",
    "KATAKANA",
    "KHAROSHTHI",
    "KHOJKI",
    "MAHAJANI",
    "MANDAIC",
    "MANICHAEAN",
    "MODI",
    "NABATAEAN",
    "NEWA",
    "PAHLAVI",
    "PALMYRENE",
    "PARTHIAN",
    "PHOENICIAN",
    "REJANG",
    "SAMARITAN",
    "SHARADA",
    "SIDDHAM",
    "SOGDIAN",
    "SUNDANESE",
    "SYLOTI",
    "SYRIAC",
    "TAGALOG",
    "TAGBANWA",
    "TAKRI",
}


def test_there_are_thousands_over_many_scripts() -> None:
    glyphs = load_glyphs()
    assert 4000 <= len(glyphs) <= 8200
    counts = np.bincount(glyphs.script_of_glyph, minlength=len(glyphs.scripts))
    assert len(glyphs.scripts) > 60
    assert counts.min() >= 1
    assert counts.max() <= 400


def test_every_program_lies_in_the_unit_square_and_can_be_drawn() -> None:
    glyphs = load_glyphs()
    for i in range(len(glyphs)):
        program = glyphs.program(i)
        assert 1 <= len(program.strokes) <= 14
        for stroke in program.strokes:
            assert stroke.points.dtype == np.float32
            assert stroke.points.shape[1] == 2
            assert len(stroke.points) >= (3 if stroke.closed else 2)
            assert stroke.closed or not stroke.filled
        points = np.concatenate([stroke.points for stroke in program.strokes])
        assert points.min() >= 0
        assert points.max() <= 1
        assert np.ptp(points, axis=0).max() > 0.98


def test_no_held_out_script_is_among_them() -> None:
    glyphs = load_glyphs()
    names = [unicodedata.name(chr(int(code)), "") for code in glyphs.code_points]
    found = [name for name in names if HELD_OUT & set(name.replace("-", " ").split())]
    assert found == []


def test_every_font_has_a_free_licence() -> None:
    fonts = load_glyphs().fonts
    assert len(fonts) > 1
    for package, file, licence in fonts:
        assert package.startswith("fonts-")
        assert file.endswith((".ttf", ".otf"))
        assert licence.startswith(("OFL-1.1", "Bitstream Vera"))


def test_random_glyphs_follow_the_generator() -> None:
    first = [random_glyph(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    flat = [np.concatenate([s.points for s in program.strokes]) for program in first]
    assert np.array_equal(flat[0], flat[1])
    assert not np.array_equal(flat[0], flat[2])


@pytest.mark.parametrize("i", [-1, 10**6])
def test_a_glyph_that_is_not_there_is_an_index_error(i: int) -> None:
    with pytest.raises(IndexError, match=str(i)):
        load_glyphs().program(i)
