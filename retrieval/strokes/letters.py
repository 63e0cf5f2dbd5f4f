"""Capitals as pen strokes, for initials in marks.

Each sign is written as strokes on a grid of 4 columns by 6 rows, y downwards: two digits a point,
`~` before a stroke that is a curve, `o` before one that closes.
"""

from __future__ import annotations

import numpy as np

from retrieval.strokes.program import Program, Stroke

_SIGNS = {
    "A": "0620 2046 1434",
    "B": "0006 ~0010312213 ~13233526 ~2606",
    "C": "~413010010305163645",
    "D": "0006 ~0020414526 2606",
    "E": "400006 0646 0333",
    "F": "4000 0006 0333",
    "G": "~4130100103051636454323",
    "H": "0006 4046 0343",
    "I": "2026 1030 1636",
    "K": "0006 4003 0346",
    "L": "000646",
    "M": "0600234046",
    "N": "06004640",
    "O": "~o204145260501",
    "P": "0006 ~0020313243342303",
    "Q": "~o204144260501 2446",
    "R": "0006 ~00203142332303 2346",
    "S": "~4130100112334445361605",
    "T": "0040 2026",
    "V": "002640",
    "W": "0016233640",
    "X": "0046 4006",
    "Y": "002340 2326",
    "Z": "00400646",
}


def _parse(text: str) -> Program:
    strokes = []
    for word in text.split():
        smooth, closed = word.startswith("~"), "o" in word
        digits = word.lstrip("~o")
        points = [
            (int(x) / 4, min(int(y), 6) / 6)
            for x, y in zip(digits[::2], digits[1::2], strict=False)
        ]
        if len(points) > 1:
            strokes.append(Stroke(np.asarray(points, np.float32), smooth, closed))
    return Program(tuple(strokes))


#: Every letter in the unit square, by its character.
SIGNS: dict[str, Program] = {character: _parse(text) for character, text in _SIGNS.items()}
#: The letters merchants' initials are made of; J was still written I, U written V.
INITIALS = "ABCDEFGHIKLMNOPQRSTVWXYZ"
