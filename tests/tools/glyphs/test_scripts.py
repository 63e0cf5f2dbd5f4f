from __future__ import annotations

import unicodedata

from tools.glyphs.scripts import PACKAGES, SOURCES


def test_no_source_touches_the_held_out_scripts() -> None:
    names = {
        unicodedata.name(chr(code), "").split(" ")[0].split("-")[0]
        for source in SOURCES
        for low, high in source.ranges
        for code in range(low, high + 1)
    }
    assert not names & {"DEVANAGARI", "TAGALOG", "SYRIAC", "IMPERIAL", "PHOENICIAN", "BALINESE"}
    assert not names & {"JAVANESE", "SUNDANESE", "BATAK", "HIRAGANA", "KATAKANA", "HANGUL"}


def test_every_font_has_its_package_and_licence_on_record() -> None:
    fonts = {font for source in SOURCES for font in source.fonts}
    assert {font.package for font in fonts} == set(PACKAGES)
