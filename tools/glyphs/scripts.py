"""The scripts and signs that glyphs are traced from: their code points, fonts and licences.

Some scripts are left out on purpose, since the product is measured on handwriting in them and a
network that had seen their letters would look better than it is:

- held-out test data: Devanagari (Sanskrit); Tagalog and its sisters Hanunoo, Buhid and Tagbanwa;
  Aramaic in all its forms (Imperial Aramaic, Syriac, Mandaic, Nabataean, Palmyrene, Hatran,
  Elymaic) with Phoenician and Samaritan; Balinese with Javanese, Sundanese and Batak;
- development data: Hiragana, Katakana and Hangul;
- near relatives of those: Kaithi, Mahajani, Modi, Siddham, Newa, Dogra, Takri, Sharada, Khojki,
  Brahmi, Kharoshthi, Sylheti Nagri, Buginese, Rejang, Pahlavi, Parthian, Sogdian, Manichaean.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Glyphs that one script gives at most, unless its source says otherwise.
MOST_PER_SCRIPT = 190

#: Where Debian's packages put their fonts.
FONTS = Path("/usr/share/fonts")

#: The packages that bring the fonts, and the licence of each.
PACKAGES = {
    "fonts-noto-core": "OFL-1.1",
    "fonts-dejavu-core": "Bitstream Vera, DejaVu changes in the public domain",
    "fonts-blankenburg": "OFL-1.1",
    "fonts-gamaliel": "OFL-1.1",
    "fonts-gotico-antiqua": "OFL-1.1",
    "fonts-joscelyn": "OFL-1.1",
    "fonts-dancingscript": "OFL-1.1",
    "fonts-dkg-handwriting": "OFL-1.1",
    "fonts-humor-sans": "OFL-1.1",
    "fonts-routed-gothic": "OFL-1.1",
    "fonts-klaudia-berenika": "OFL-1.1",
    "fonts-junicode": "OFL-1.1",
    "fonts-gfs-gazis": "OFL-1.1",
}


@dataclass(frozen=True)
class Font:
    """A font file below `FONTS` and the Debian package that brings it."""

    package: str
    file: str


@dataclass(frozen=True)
class Source:
    """The code points that a script is sampled from, and the fonts that draw it."""

    script: str
    ranges: tuple[tuple[int, int], ...]
    fonts: tuple[Font, ...]
    most: int = MOST_PER_SCRIPT


def _noto(name: str) -> Font:
    return Font("fonts-noto-core", f"truetype/noto/Noto{name}-Regular.ttf")


_LATIN = (
    _noto("Sans"),
    _noto("Serif"),
    Font("fonts-blankenburg", "truetype/blankenburg/Blankenburg_UNZ1A.ttf"),
    Font("fonts-gamaliel", "truetype/gamaliel/Gamaliel.ttf"),
    Font("fonts-gotico-antiqua", "opentype/gotico-antiqua/SouffletVert-Hybrid106R.otf"),
    Font("fonts-gotico-antiqua", "opentype/gotico-antiqua/Rusch-GoticoAntiqua100G.otf"),
    Font("fonts-joscelyn", "opentype/joscelyn/Joscelyn-Regular.otf"),
    Font("fonts-dancingscript", "opentype/dancingscript/DancingScript-Regular.otf"),
    Font("fonts-dkg-handwriting", "truetype/fifthhorseman/dkg.ttf"),
    Font("fonts-humor-sans", "truetype/humor-sans/Humor-Sans.ttf"),
    Font("fonts-routed-gothic", "truetype/routed-gothic/routed-gothic-wide-italic.ttf"),
    Font("fonts-klaudia-berenika", "truetype/klaudia-berenika/Klaudia.ttf"),
    Font("fonts-junicode", "opentype/junicode/JunicodeTwoBeta-CondensedItalic.otf"),
)
_DEJAVU = Font("fonts-dejavu-core", "truetype/dejavu/DejaVuSans.ttf")


def _script(script: str, font: str, *ranges: tuple[int, int]) -> Source:
    return Source(script, ranges, (_noto(font),))


SOURCES: tuple[Source, ...] = (
    Source("Latin capitals", ((0x41, 0x5A), (0xC6, 0xC6), (0xD8, 0xD8), (0xDE, 0xDE)), _LATIN, 400),
    Source(
        "Latin lowercase", ((0x61, 0x7A), (0xDF, 0xDF), (0xE6, 0xE6), (0xFE, 0xFE)), _LATIN, 400
    ),
    Source("Digits", ((0x30, 0x39),), _LATIN, 400),
    _script(
        "Latin extended", "Sans", (0x180, 0x1CC), (0x1DD, 0x1DD), (0x220, 0x24F), (0x250, 0x2AF)
    ),
    Source(
        "Greek",
        ((0x391, 0x3A9), (0x3B1, 0x3C9), (0x3D0, 0x3E1)),
        (_noto("Serif"), Font("fonts-gfs-gazis", "opentype/gazis/GFSGazis.otf")),
    ),
    Source("Cyrillic", ((0x402, 0x402), (0x404, 0x44F), (0x460, 0x4AB)), (_noto("Serif"),)),
    Source("Hebrew", ((0x5D0, 0x5EA),), (_noto("SerifHebrew"), _noto("RashiHebrew"))),
    _script("Armenian", "SerifArmenian", (0x531, 0x587)),
    _script("Georgian", "SerifGeorgian", (0x10A0, 0x10FF)),
    _script("Arabic", "NaskhArabic", (0x620, 0x64A), (0x660, 0x669), (0x66E, 0x6D3)),
    _script("Ethiopic", "SansEthiopic", (0x1200, 0x137C)),
    _script("Cherokee", "SansCherokee", (0x13A0, 0x13F5)),
    _script("Runic", "SansRunic", (0x16A0, 0x16F0)),
    _script("Ogham", "SansOgham", (0x1681, 0x169A)),
    _script("Gothic", "SansGothic", (0x10330, 0x1034A)),
    _script("Coptic", "SansCoptic", (0x2C80, 0x2CFD)),
    _script("Glagolitic", "SansGlagolitic", (0x2C00, 0x2C5E)),
    _script("Old Italic", "SansOldItalic", (0x10300, 0x1032F)),
    _script("Old Hungarian", "SansOldHungarian", (0x10C80, 0x10CFF)),
    _script("Old Turkic", "SansOldTurkic", (0x10C00, 0x10C48)),
    _script("Old Permic", "SansOldPermic", (0x10350, 0x1037A)),
    _script("Old South Arabian", "SansOldSouthArabian", (0x10A60, 0x10A7F)),
    _script("Old North Arabian", "SansOldNorthArabian", (0x10A80, 0x10A9F)),
    _script("Carian", "SansCarian", (0x102A0, 0x102D0)),
    _script("Lycian", "SansLycian", (0x10280, 0x1029C)),
    _script("Lydian", "SansLydian", (0x10920, 0x1093F)),
    _script("Caucasian Albanian", "SansCaucasianAlbanian", (0x10530, 0x10563)),
    _script("Elbasan", "SansElbasan", (0x10500, 0x10527)),
    _script("Cypriot", "SansCypriot", (0x10800, 0x1083F)),
    _script("Linear A", "SansLinearA", (0x10600, 0x10767)),
    _script("Linear B", "SansLinearB", (0x10000, 0x100FA)),
    _script("Anatolian Hieroglyphs", "SansAnatolianHieroglyphs", (0x14400, 0x14646)),
    Source("Egyptian Hieroglyphs", ((0x13000, 0x1342E),), (_noto("SansEgyptianHieroglyphs"),), 120),
    _script("Meroitic", "SansMeroitic", (0x10980, 0x109BD)),
    _script("Avestan", "SansAvestan", (0x10B00, 0x10B35)),
    _script("Thai", "SansThai", (0xE01, 0xE30), (0xE40, 0xE46), (0xE50, 0xE5B)),
    _script("Lao", "SansLao", (0xE81, 0xEDF)),
    _script("Khmer", "SansKhmer", (0x1780, 0x17B3), (0x17E0, 0x17E9)),
    _script("Myanmar", "SansMyanmar", (0x1000, 0x102A), (0x103F, 0x1055), (0x1075, 0x1081)),
    _script("Tamil", "SansTamil", (0xB83, 0xBB9), (0xBE6, 0xBFA)),
    _script("Telugu", "SansTelugu", (0xC05, 0xC39), (0xC60, 0xC6F)),
    _script("Kannada", "SansKannada", (0xC85, 0xCB9), (0xCE6, 0xCEF)),
    _script("Malayalam", "SansMalayalam", (0xD05, 0xD3A), (0xD66, 0xD7F)),
    _script("Sinhala", "SansSinhala", (0xD85, 0xDC6)),
    _script("Bengali", "SansBengali", (0x985, 0x9B9), (0x9DC, 0x9FA)),
    _script("Gujarati", "SansGujarati", (0xA85, 0xAB9), (0xAE6, 0xAEF)),
    _script("Gurmukhi", "SansGurmukhi", (0xA05, 0xA39), (0xA66, 0xA74)),
    _script("Oriya", "SansOriya", (0xB05, 0xB39), (0xB66, 0xB77)),
    _script("Tibetan", "SerifTibetan", (0xF00, 0xF33), (0xF40, 0xF6C)),
    _script("Phags-pa", "SansPhagsPa", (0xA840, 0xA877)),
    _script("Mongolian", "SansMongolian", (0x1810, 0x1878)),
    _script("Canadian Syllabics", "SansCanadianAboriginal", (0x1401, 0x167F)),
    _script("Yi", "SansYi", (0xA000, 0xA48C), (0xA490, 0xA4C6)),
    _script("Nushu", "SansNushu", (0x1B170, 0x1B2FB)),
    _script("Vai", "SansVai", (0xA500, 0xA62B)),
    _script("Bamum", "SansBamum", (0xA6A0, 0xA6EF)),
    _script("Mende Kikakui", "SansMendeKikakui", (0x1E800, 0x1E8C4)),
    _script("Bassa Vah", "SansBassaVah", (0x16AD0, 0x16AED)),
    _script("N'Ko", "SansNKo", (0x7C0, 0x7EA)),
    _script("Adlam", "SansAdlamUnjoined", (0x1E900, 0x1E943), (0x1E950, 0x1E959)),
    _script("Osmanya", "SansOsmanya", (0x10480, 0x104A9)),
    _script("Medefaidrin", "SansMedefaidrin", (0x16E40, 0x16E9A)),
    _script("Tifinagh", "SansTifinagh", (0x2D30, 0x2D6F)),
    _script("Deseret", "SansDeseret", (0x10400, 0x1044F)),
    _script("Shavian", "SansShavian", (0x10450, 0x1047F)),
    _script("Osage", "SansOsage", (0x104B0, 0x104FB)),
    _script("Lisu", "SansLisu", (0xA4D0, 0xA4F7)),
    _script("Miao", "SansMiao", (0x16F00, 0x16F4A)),
    _script("Pau Cin Hau", "SansPauCinHau", (0x11AC0, 0x11AF8)),
    _script("Pahawh Hmong", "SansPahawhHmong", (0x16B00, 0x16B8F)),
    _script("Nyiakeng", "SerifNyiakengPuachueHmong", (0x1E100, 0x1E14F)),
    _script("Ol Chiki", "SansOlChiki", (0x1C50, 0x1C7F)),
    _script("Warang Citi", "SansWarangCiti", (0x118A0, 0x118F2)),
    _script("Sora Sompeng", "SansSoraSompeng", (0x110D0, 0x110F9)),
    _script("Mro", "SansMro", (0x16A40, 0x16A69)),
    _script("Wancho", "SansWancho", (0x1E2C0, 0x1E2F9)),
    _script("Chakma", "SansChakma", (0x11103, 0x11126), (0x11136, 0x1113F)),
    _script("Lepcha", "SansLepcha", (0x1C00, 0x1C23), (0x1C40, 0x1C4F)),
    _script("Limbu", "SansLimbu", (0x1900, 0x191E), (0x1946, 0x194F)),
    _script("Tai Le", "SansTaiLe", (0x1950, 0x1974)),
    _script("New Tai Lue", "SansNewTaiLue", (0x1980, 0x19AB), (0x19D0, 0x19DA)),
    _script("Tai Viet", "SansTaiViet", (0xAA80, 0xAADF)),
    _script("Kayah Li", "SansKayahLi", (0xA900, 0xA925)),
    _script("Thaana", "SansThaana", (0x780, 0x7A5)),
    _script("Mayan numerals", "SansMayanNumerals", (0x1D2E0, 0x1D2F3)),
    Source("Alchemical", ((0x1F700, 0x1F773),), (_noto("SansSymbols"), _DEJAVU), 400),
    Source(
        "Planets and zodiac",
        ((0x263D, 0x2653), (0x2695, 0x26A2), (0x26A5, 0x26B1), (0x26B3, 0x26BC), (0x2BD0, 0x2BE3)),
        (_noto("SansSymbols"), _noto("SansSymbols2"), _DEJAVU),
    ),
    Source(
        "Chess and cards", ((0x2654, 0x2667), (0x2680, 0x2691)), (_noto("SansSymbols2"), _DEJAVU)
    ),
    Source("Arrows", ((0x2190, 0x21FF), (0x2B00, 0x2B11)), (_DEJAVU, _noto("SansMath")), 120),
    Source(
        "Geometric shapes", ((0x25A0, 0x25FF), (0x2B12, 0x2B2F)), (_noto("SansSymbols2"), _DEJAVU)
    ),
    Source(
        "Map signs",
        ((0x2600, 0x263C), (0x2690, 0x269B), (0x26C0, 0x26FF), (0x2719, 0x2767)),
        (_noto("SansSymbols"), _noto("SansSymbols2"), _DEJAVU),
    ),
    Source("Musical signs", ((0x2669, 0x266F), (0x1D100, 0x1D1E8)), (_noto("Music"),)),
    Source("Byzantine music", ((0x1D000, 0x1D0F5),), (_noto("Music"),), 120),
    Source("Mathematical operators", ((0x2200, 0x22FF), (0x2A00, 0x2AFF)), (_noto("SansMath"),)),
    Source("Technical", ((0x2300, 0x23CF),), (_noto("SansSymbols"), _DEJAVU), 120),
    Source(
        "Currency and letterlike", ((0xA2, 0xA7), (0x20A0, 0x20BF), (0x2108, 0x214F)), (_DEJAVU,)
    ),
    Source("Hexagrams and old signs", ((0x10190, 0x101CF),), (_noto("SansSymbols2"),)),
)
