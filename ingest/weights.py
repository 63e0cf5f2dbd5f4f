"""Weights of a proposal's score: a logistic regression on the traits of `ingest.traits`.

Fitted once, on some 2,000 marks: those of `retrieval.strokes` (merchants' marks, ringed stamps,
lines of printed letters) laid into 77 real pages in their own or another ink, in margins and across
the writing, 30 synthetic pages, and the 48 stamps of the real pages themselves. What overlaps a
true box by 0.55 was a mark, the rest of each page was not. An archive's own pages teach nothing
here. A pair of names is the product of two traits.
"""

from __future__ import annotations

#: Set so that a score of one half shows a few false proposals a page.
BIAS = 0.7966
WEIGHTS: dict[tuple[str, ...], float] = {
    ("size",): 0.5229,
    ("height",): 0.6873,
    ("aspect",): -0.3128,
    ("squareness",): -0.6928,
    ("density",): 0.4812,
    ("left",): -0.3950,
    ("right",): -0.7791,
    ("above",): -0.0778,
    ("below",): -0.1714,
    ("rim",): -0.1666,
    ("wide",): -1.3868,
    ("coloured",): 0.0237,
    ("coloured_alone",): -0.5425,
    ("coloured_share",): -0.0861,
    ("across",): -0.2898,
    ("pale",): 0.0790,
    ("pale_alone",): -0.5175,
    ("dark",): -0.1605,
    ("depth",): 0.1198,
    ("stroke",): 1.4209,
    ("pieces",): -0.0474,
    ("hole",): 3.9353,
    ("ring",): 1.1966,
    ("frame",): -1.1216,
    ("other_ring",): -0.0883,
    ("ruled",): -0.0205,
    ("slant",): 0.3846,
    ("to_edge",): -0.1001,
    ("off_sheet",): -5.8965,
    ("strange",): -0.2712,
    ("steps",): 0.0995,
    ("page",): 0.6752,
    ("page_colour",): 0.1423,
    ("size", "size"): -0.0748,
    ("height", "height"): -0.0589,
    ("aspect", "aspect"): -0.4405,
    ("density", "density"): -0.1026,
    ("stroke", "stroke"): 0.2367,
    ("dark", "dark"): 0.0236,
    ("hole", "hole"): -3.3292,
    ("ring", "ring"): 0.8083,
    ("coloured_share", "coloured_share"): 0.0052,
    ("coloured", "ring"): 0.2521,
    ("coloured_alone", "coloured"): 1.6727,
    ("size", "coloured"): 0.2116,
    ("left", "size"): -0.1080,
    ("right", "left"): -0.0981,
    ("pale_alone", "pale"): 1.5139,
    ("wide", "coloured"): 1.3686,
    ("off_sheet", "ruled"): -0.7583,
    ("density", "size"): 0.0559,
    ("ring", "size"): 0.9650,
    ("other_ring", "size"): 0.4099,
    ("pale", "ring"): 0.3745,
    ("coloured", "squareness"): -0.3473,
}
