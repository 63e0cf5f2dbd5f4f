"""Weights of a proposal's score: a logistic regression on the traits of `ingest.traits`.

Fitted once, on some 2,000 marks: those of `retrieval.strokes` (merchants' marks, ringed stamps,
lines of printed letters) laid into 77 real pages in their own or another ink, in margins and across
the writing, 30 synthetic pages, and the 48 stamps of the real pages themselves. What overlaps a
true box by 0.55 was a mark, the rest of each page was not. An archive's own pages teach nothing
here. A pair of names is the product of two traits.
"""

from __future__ import annotations

#: Set so that a score of one half shows a few false proposals a page.
BIAS = 1.0869
WEIGHTS: dict[tuple[str, ...], float] = {
    ("size",): 0.6634,
    ("height",): 0.8056,
    ("aspect",): -0.3234,
    ("squareness",): -0.6981,
    ("density",): 0.5132,
    ("left",): -0.4084,
    ("right",): -0.8296,
    ("above",): -0.0614,
    ("below",): -0.1667,
    ("cut",): -0.1033,
    ("wide",): -1.5747,
    ("coloured",): -0.1609,
    ("coloured_alone",): -0.6141,
    ("coloured_share",): -0.1121,
    ("across",): -0.3587,
    ("pale",): -0.0596,
    ("pale_alone",): -0.6395,
    ("dark",): -0.2279,
    ("depth",): 0.1743,
    ("stroke",): 1.5550,
    ("pieces",): -0.0592,
    ("hole",): 4.6420,
    ("ring",): 1.3865,
    ("frame",): -1.3489,
    ("other_ring",): -0.1845,
    ("ruled",): -0.0218,
    ("slant",): 0.4689,
    ("to_edge",): -0.2303,
    ("off_sheet",): -7.1808,
    ("strange",): -0.3194,
    ("steps",): 0.1094,
    ("page",): 0.7576,
    ("page_colour",): 0.1784,
    ("size", "size"): -0.1042,
    ("height", "height"): -0.0965,
    ("aspect", "aspect"): -0.5243,
    ("density", "density"): -0.1153,
    ("stroke", "stroke"): 0.2782,
    ("dark", "dark"): 0.0175,
    ("hole", "hole"): -4.9463,
    ("ring", "ring"): 0.8730,
    ("coloured_share", "coloured_share"): 0.0046,
    ("coloured", "ring"): 0.2097,
    ("coloured_alone", "coloured"): 2.1478,
    ("size", "coloured"): 0.2192,
    ("left", "size"): -0.0822,
    ("right", "left"): -0.0987,
    ("pale_alone", "pale"): 1.8816,
    ("wide", "coloured"): 1.7749,
    ("off_sheet", "ruled"): -0.7507,
    ("density", "size"): 0.0558,
    ("ring", "size"): 1.1010,
    ("other_ring", "size"): 0.5221,
    ("pale", "ring"): 0.3081,
    ("coloured", "squareness"): -0.3249,
    ("cut", "size"): 0.0083,
    ("cut", "coloured"): -0.1147,
}
