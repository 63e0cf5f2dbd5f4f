"""Make `glyphs.npz`: the letters and signs of many scripts traced into strokes.

Run as ``python -m retrieval.strokes.trace OUT.npz`` by a developer, on a Debian machine with the
packages of `PACKAGES` and scikit-image installed; the product only reads the result through
`retrieval.strokes.glyphs`.

A glyph is rendered, thinned (Zhang and Suen 1984, as in scikit-image) and its skeleton cut at the
junctions; branches that go straight on through a junction become one stroke, and every stroke is
simplified after Douglas and Peucker (1973). Parts without a skeleton worth the name are kept as
dots or outlines.

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

import io
import math
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.morphology import skeletonize

from retrieval.strokes.glyphs import CLOSED, FILLED, SMOOTH
from retrieval.strokes.program import Program, Stroke

SIDE = 160  # pixels of the rendered glyph's longer side
MARGIN = 6
TOLERANCE = 0.012 * SIDE  # of the Douglas-Peucker simplification, in pixels
MOST_STROKES = 14
MOST_PER_SCRIPT = 190
ALIKE = 0.955  # glyphs whose blurred drawings correlate more than this count as one

Mask = NDArray[np.bool_]
Path2 = NDArray[np.float64]

FONTS = Path("/usr/share/fonts")

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

_CATEGORIES = ("L", "N", "S", "Po")


def render(font: ImageFont.FreeTypeFont, character: str) -> Mask | None:
    """Return the ink of `character`, its longer side `SIDE` px, or None where there is none."""
    box = font.getbbox(character)
    extent = max(box[2] - box[0], box[3] - box[1])
    if extent < 0.12 * font.size:
        return None
    sized = font.font_variant(size=font.size * SIDE / extent)
    left, top, right, bottom = (int(edge) for edge in sized.getbbox(character))
    image = Image.new("L", (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN), 0)
    ImageDraw.Draw(image).text((MARGIN - left, MARGIN - top), character, fill=255, font=sized)
    mask = np.asarray(image) > 127
    return mask if mask.any() else None


@dataclass(eq=False)
class _Branch:
    """A path of the skeleton (K, 2) as x, y and the nodes at its two ends (-1: a free end)."""

    path: Path2
    ends: tuple[int, int]

    def length(self) -> float:
        return float(np.hypot(*np.diff(self.path, axis=0).T).sum()) if len(self.path) > 1 else 0.0


def _neighbours(pixel: tuple[int, int]) -> Iterator[tuple[int, int]]:
    # The four nearest first, so that a path follows stairs in order.
    row, column = pixel
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)):
        yield row + down, column + right


def _ordered(pixels: set[tuple[int, int]]) -> tuple[list[tuple[int, int]], bool]:
    """Return the pixels of a path from end to end, and whether it is a ring."""
    ends = [p for p in pixels if sum(n in pixels for n in _neighbours(p)) <= 1]
    here = min(ends) if ends else min(pixels)
    order, left = [here], pixels - {here}
    while True:
        step = next((n for n in _neighbours(here) if n in left), None)
        if step is None:
            break
        order.append(step)
        left.discard(step)
        here = step
    return order, not ends and len(order) > 8


def _branches(skeleton: Mask) -> tuple[list[_Branch], dict[int, Path2]]:
    """Cut a skeleton at its junctions: the branches, and where each junction is."""
    kernel = np.ones((3, 3), np.float32)
    degree = cv2.filter2D(skeleton.astype(np.float32), -1, kernel, borderType=cv2.BORDER_CONSTANT)
    junction = skeleton & (degree > 3.5)
    count, labels = cv2.connectedComponents(junction.astype(np.uint8), connectivity=8)
    nodes = {
        label: np.argwhere(labels == label).mean(axis=0)[::-1].astype(np.float64)
        for label in range(1, count)
    }
    count, pieces = cv2.connectedComponents((skeleton & ~junction).astype(np.uint8), connectivity=8)
    branches = []
    for piece in range(1, count):
        pixels = {(int(row), int(column)) for row, column in np.argwhere(pieces == piece)}
        order, ring = _ordered(pixels)
        path = np.asarray(order, np.float64)[:, ::-1]
        first = [int(labels[n]) for n in _neighbours(order[0]) if labels[n]]
        last = [int(labels[n]) for n in _neighbours(order[-1]) if labels[n]]
        if ring and not first:
            branches.append(_Branch(np.concatenate([path, path[:1]]), (-2, -2)))
            continue
        start = first[0] if first else -1
        end = next((n for n in last if n != start), start) if last else -1
        if len(order) == 1 and end == start:
            end = -1
        if start > 0:
            path = np.concatenate([nodes[start][None], path])
        if end > 0:
            path = np.concatenate([path, nodes[end][None]])
        branches.append(_Branch(path, (start, end)))
    return branches, nodes


def _prune(branches: list[_Branch], nodes: dict[int, Path2], half: NDArray[np.float32]) -> None:
    """Drop the spurs and shrink the bridges that are no longer than the stroke is wide."""

    def half_width(node: int) -> float:
        x, y = np.rint(nodes[node]).astype(int)
        return float(half[y, x])

    spurs = [
        branch
        for branch in branches
        if sorted(branch.ends)[0] == -1
        and max(branch.ends) > 0
        and branch.length() < 1.25 * half_width(max(branch.ends)) + 2
    ]
    for node in nodes:
        mine = [branch for branch in spurs if node in branch.ends]
        kept = [branch for branch in branches if node in branch.ends and branch not in mine]
        for branch in mine if kept else ():
            branches.remove(branch)
    for branch in [b for b in branches if min(b.ends) > 0 and b.ends[0] != b.ends[1]]:
        start, end = branch.ends
        if start == end or branch.length() > 1.1 * max(half_width(start), half_width(end)) + 1:
            continue
        branches.remove(branch)
        middle = (nodes[start] + nodes[end]) / 2
        nodes[start] = nodes[end] = middle
        for other in branches:
            other.ends = (
                start if other.ends[0] == end else other.ends[0],
                start if other.ends[1] == end else other.ends[1],
            )
            if other.ends[0] == start:
                other.path[0] = middle
            if other.ends[1] == start:
                other.path[-1] = middle


def _heading(path: Path2, reach: float) -> Path2:
    """Return the unit vector from the start of `path` to about `reach` px along it."""
    near, far = path[min(len(path) - 1, 3)], path[min(len(path) - 1, round(reach))]
    vector = far - near if len(path) > 5 else path[-1] - path[0]
    return np.asarray(vector / max(float(np.hypot(*vector)), 1e-9))


def _joined(branches: list[_Branch], nodes: Iterable[int]) -> list[Path2]:
    """Return paths made of the branches that run straight on through the junctions."""
    partner: dict[tuple[int, int], tuple[int, int]] = {}
    for node in nodes:
        ends = [
            (index, side)
            for index, branch in enumerate(branches)
            for side in (0, 1)
            if branch.ends[side] == node
        ]
        headings = {
            (index, side): _heading(
                branches[index].path if side == 0 else branches[index].path[::-1], 14
            )
            for index, side in ends
        }
        pairs = sorted(
            (float(headings[one] @ headings[other]), one, other)
            for place, one in enumerate(ends)
            for other in ends[place + 1 :]
        )
        for cosine, one, other in pairs:
            straight = cosine < -math.cos(math.radians(42))
            if (straight or len(ends) == 2) and one not in partner and other not in partner:
                partner[one], partner[other] = other, one
    paths = []
    left = set(range(len(branches)))
    while left:
        # Begin at an end that goes nowhere; only rings have none.
        begin = min(((i, s) for i in left for s in (0, 1)), key=lambda end: (end in partner, end))
        pieces: list[Path2] = []
        end: tuple[int, int] | None = begin
        while end is not None and end[0] in left:
            index, side = end
            left.discard(index)
            path = branches[index].path if side == 0 else branches[index].path[::-1]
            pieces.append(path if not pieces else path[1:])
            end = partner.get((index, 1 - side))
        paths.append(np.concatenate(pieces))
    return paths


def _smoothed(path: Path2, closed: bool) -> Path2:
    """Take the stairs out of a path of pixels."""
    if len(path) < 7:
        return path
    ring = path[:-1] if closed else path
    padded = np.pad(ring, ((2, 2), (0, 0)), mode="wrap" if closed else "edge")
    result: Path2 = np.stack([padded[i : i + len(ring)] for i in range(5)]).mean(axis=0)
    if closed:
        return np.concatenate([result, result[:1]])
    result[0], result[-1] = path[0], path[-1]
    return result


def _turns(points: Path2, closed: bool) -> Path2:
    """Return the turning angles in degrees at the inner points (all points when closed)."""
    if closed:
        points = np.concatenate([points[-1:], points, points[:1]])
    steps = np.diff(points, axis=0)
    angles = np.degrees(np.arctan2(steps[:, 1], steps[:, 0]))
    return np.asarray(np.abs((np.diff(angles) + 180) % 360 - 180))


def _stroke(path: Path2, closed: bool, filled: bool = False) -> Stroke | None:
    """Simplify a path in pixels into a stroke; None where nothing is left of it."""
    path = _smoothed(path, closed)
    ring = path[:-1] if closed else path
    flat = ring.astype(np.float32).reshape(-1, 1, 2)
    points = cv2.approxPolyDP(flat, TOLERANCE, closed).reshape(-1, 2).astype(np.float64)
    if len(points) < (3 if closed else 2):
        return None
    turns = _turns(points, closed)
    smooth = len(points) >= 4 and float(turns.max()) < 72 and float(np.median(turns)) > 12
    if smooth:
        # A curve through points far apart bulges; give it the path's own points between them.
        points = _filled_in(ring, points, closed)
    return Stroke(points.astype(np.float32), smooth=smooth, closed=closed, filled=filled)


def _filled_in(path: Path2, points: Path2, closed: bool) -> Path2:
    places = [int(np.argmin(np.abs(path - point).sum(axis=1))) for point in points]
    if places != sorted(places):
        order = np.argsort(places)
        places, points = [places[i] for i in order], points[order]
    stops = [*places, places[0] + len(path)] if closed else places
    result = []
    for start, stop in pairwise(stops):
        parts = max(1, round((stop - start) / (0.22 * SIDE)))
        result += [path[(start + (stop - start) * i // parts) % len(path)] for i in range(parts)]
    if not closed:
        result.append(path[places[-1]])
    return np.asarray(result)


def _outlines(component: Mask, filled: bool) -> list[Stroke]:
    mode = cv2.RETR_EXTERNAL if filled else cv2.RETR_CCOMP
    contours, _ = cv2.findContours(component.astype(np.uint8), mode, cv2.CHAIN_APPROX_NONE)
    strokes = []
    for contour in contours:
        path = contour.reshape(-1, 2).astype(np.float64)
        if len(path) >= 8:
            stroke = _stroke(np.concatenate([path, path[:1]]), True, filled)
            strokes += [stroke] if stroke else []
    return strokes


def _component_strokes(component: Mask) -> list[Stroke]:
    half = cv2.distanceTransform(component.astype(np.uint8), cv2.DIST_L2, 5).astype(np.float32)
    extent = max(int(np.ptp(axis)) + 1 for axis in np.nonzero(component))
    thickest = float(half.max())
    if thickest > 0.14 * SIDE or (extent < 0.3 * SIDE and extent < 3.6 * thickest):
        return _outlines(component, filled=extent < 0.3 * SIDE)
    thin = skeletonize(component)  # type: ignore[no-untyped-call, unused-ignore]
    branches, nodes = _branches(np.asarray(thin, np.bool_))
    _prune(branches, nodes, half)
    branches = [branch for branch in branches if branch.length() > 2]
    strokes = []
    for path in _joined(branches, sorted(nodes)):
        closed = len(path) > 8 and float(np.hypot(*(path[0] - path[-1]))) < 1.5
        stroke = _stroke(path, closed)
        strokes += [stroke] if stroke else []
    return strokes


def trace(mask: Mask) -> Program:
    """Return the strokes of a glyph's ink, (H, W) bool, in the unit square and centred.

    The margin around the ink must be at least one pixel. The proportions are kept: the longer
    side of the drawing fills the square.
    """
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    strokes: list[Stroke] = []
    for label in range(1, count):
        component = labels == label
        if int(component.sum()) >= 12:
            strokes += _component_strokes(component)
    if not strokes:
        return Program(())
    points = np.concatenate([stroke.points for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = max(float((high - low).max()), 1.0)
    shift = 0.5 - (low + high) / (2 * scale)
    return Program(
        tuple(
            Stroke(
                (stroke.points / scale + shift).astype(np.float32),
                stroke.smooth,
                stroke.closed,
                stroke.filled,
            )
            for stroke in strokes
        )
    )


def _worth_keeping(program: Program) -> bool:
    if not 1 <= len(program.strokes) <= MOST_STROKES:
        return False
    if any(len(stroke.points) > 255 for stroke in program.strokes):
        return False
    lines = [s.points for s in program.strokes if not s.filled]
    inked = sum(float(np.hypot(*np.diff(points, axis=0).T).sum()) for points in lines)
    straight = len(program.strokes) == 1 and len(program.strokes[0].points) == 2
    return inked > 0.9 and not straight


def _look(program: Program) -> NDArray[np.float32]:
    """Return the blurred drawing of a program as a unit vector, to tell near twins by."""
    image = np.zeros((48, 48), np.uint8)
    for stroke in program.strokes:
        points = np.rint(stroke.points * 39 * 16 + 4 * 16).astype(np.int32)
        if stroke.filled:
            cv2.fillPoly(image, [points], 255, shift=4)
        cv2.polylines(image, [points], stroke.closed, 255, 2, cv2.LINE_AA, shift=4)
    vector = cv2.resize(cv2.GaussianBlur(image, (0, 0), 1.5), (24, 24)).astype(np.float32).ravel()
    vector -= vector.mean()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def _characters(source: Source) -> list[str]:
    characters = [chr(code) for low, high in source.ranges for code in range(low, high + 1)]
    return [c for c in characters if unicodedata.category(c).startswith(_CATEGORIES)]


@dataclass(frozen=True)
class Traced:
    """One glyph: its strokes, its code point and where it came from."""

    program: Program
    script: str
    code: int
    font: Font


def trace_source(source: Source, rng: np.random.Generator) -> Iterator[Traced]:
    """Trace the glyphs of one script in a random order."""
    loaded = {}
    for font in source.fonts:
        path = FONTS / font.file
        if not path.is_file():
            raise SystemExit(f"{path} is not there; apt-get install {font.package}")
        face = ImageFont.truetype(path, SIDE, layout_engine=ImageFont.Layout.BASIC)
        loaded[font] = (face, render(face, "\U000f1234"))
    jobs = [(font, character) for font in source.fonts for character in _characters(source)]
    for job in rng.permutation(len(jobs)):
        font, character = jobs[int(job)]
        face, missing = loaded[font]
        mask = render(face, character)
        if mask is None or (missing is not None and np.array_equal(mask, missing)):
            continue
        program = trace(mask)
        if _worth_keeping(program):
            yield Traced(program, source.script, ord(character), font)


def trace_all(sources: Sequence[Source], seed: int = 1713) -> list[Traced]:
    """Trace all `sources`, each up to its most, leaving out near twins of glyphs already there."""
    kept: list[Traced] = []
    looks = np.zeros((sum(source.most for source in sources), 24 * 24), np.float32)
    for number, source in enumerate(sources):
        before = len(kept)
        for glyph in trace_source(source, np.random.default_rng([seed, number])):
            if len(kept) - before >= source.most:
                break
            look = _look(glyph.program)
            if len(kept) and float((looks[: len(kept)] @ look).max()) > ALIKE:
                continue
            looks[len(kept)] = look
            kept.append(glyph)
        print(f"{source.script}: {len(kept) - before}", file=sys.stderr)
    return kept


def packed(glyphs: Sequence[Traced]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that `retrieval.strokes.glyphs` reads."""
    scripts = list(dict.fromkeys(glyph.script for glyph in glyphs))
    fonts = list(dict.fromkeys(glyph.font for glyph in glyphs))
    strokes = [stroke for glyph in glyphs for stroke in glyph.program.strokes]
    points = np.concatenate([stroke.points for stroke in strokes])
    flags = [CLOSED * s.closed | SMOOTH * s.smooth | FILLED * s.filled for s in strokes]
    return {
        "points": np.clip(np.rint(points * 255), 0, 255).astype(np.uint8),
        "points_per_stroke": np.asarray([len(stroke.points) for stroke in strokes], np.uint8),
        "flags": np.asarray(flags, np.uint8),
        "strokes_per_glyph": np.asarray([len(g.program.strokes) for g in glyphs], np.uint8),
        "code_points": np.asarray([glyph.code for glyph in glyphs], np.uint32),
        "script_of_glyph": np.asarray([scripts.index(g.script) for g in glyphs], np.uint8),
        "font_of_glyph": np.asarray([fonts.index(g.font) for g in glyphs], np.uint8),
        "scripts": np.asarray(scripts),
        "fonts": np.asarray(
            [(font.package, Path(font.file).name, PACKAGES[font.package]) for font in fonts]
        ),
    }


def main(arguments: Sequence[str]) -> None:
    """Trace every source and write the arrays to the file named by the one argument."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m retrieval.strokes.trace OUT.npz")
    out = Path(arguments[0])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **packed(trace_all(SOURCES)))  # type: ignore[arg-type]
    part = out.with_name(out.name + ".part")
    with part.open("wb") as stream:
        stream.write(buffer.getvalue())
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(out)


if __name__ == "__main__":
    main(sys.argv[1:])
