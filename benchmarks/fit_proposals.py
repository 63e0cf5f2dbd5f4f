"""Fit the weights of a proposal's score: `python benchmarks/fit_proposals.py --pages FOLDER`.

FOLDER holds scans and `regions.csv` (source,zone,x0,y0,x1,y1 in pixels), the true stamps on them.
Drawn marks are laid into the scans (`ingest.synthetic.inlay`), on half of them among blots, rules,
initials and the like (`ingest.synthetic.clutter`), and pages of a synthetic archive are added. A
logistic regression learns to tell the boxes that fit these marks from the page's other boxes by
their traits; a small network then learns from the pictures of those that the regression puts first
how far each is a mark. The true stamps teach nothing: what overlaps one is neither mark nor other.
`--write` puts the numbers into `ingest/weights.csv` and `ingest/appearance.safetensors`; `--halves`
fits on each half of the scans, in the order of their names so that a manuscript is never in both,
and prints how well the true stamps of the other half are found. One seed, one result.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from segmentation import TrueBox, scanned_pages, synthetic_pages

from ingest.appearance import FILE as APPEARANCE_FILE
from ingest.appearance import Appearance, ink_planes, looks, pictures, write_appearance
from ingest.inks import Inks, separate_inks
from ingest.segmentation import (
    DEFAULT_THRESHOLD,
    candidates,
    distinct,
    working_copy,
    worth_a_look,
)
from ingest.synthetic.clutter import CLUTTER, lay_clutter_in
from ingest.synthetic.inlay import (
    AMONG_WRITING,
    ANYWHERE,
    BY_CLERKS,
    Box,
    InlaidPage,
    Sort,
    lay_marks_in,
    writing_ink,
)
from ingest.traits import Boxes, describe
from ingest.weights import FILE, Weights, likelihoods, measured, write_weights
from retrieval.evaluation.coverage import FIRST

Values = NDArray[np.float32]

#: A box that overlaps a mark by this much (intersection over union) is that mark ...
_IS = 0.55
#: ... and one by this much is partly right, and counts less among the others.
_PARTLY, _PARTLY_WEIGHT = 0.2, 0.25
#: Weight of a page's other boxes together, where each mark weighs 1.
_OTHERS = 20.0
#: Share of it that goes to the boxes which a first fit took for marks.
_HARD = 0.5
#: Each scan serves so often, with marks of these sorts laid in.
_ROUNDS = (ANYWHERE, ANYWHERE, ANYWHERE, AMONG_WRITING)
#: A box is no mark up to this overlap, and wholly one from this on.
_NOT, _WHOLLY = 0.35, 0.8
#: Of the network: pictures a step, steps, greatest learning rate.
_BATCH, _STEPS, _RATE = 256, 2000, 3e-3
#: Rounds in which things are laid in that are no marks, and how many.
_CLUTTERED, _THINGS = (1, 2, 3), 8
#: Marks laid into a page at once, and false proposals a page that the threshold lets through.
_MARKS, _FALSE = 12, 4.0
_RIDGE = 0.03
#: Other boxes that a page gives at most, drawn by their weight.
_SAMPLE = 100


@dataclass(frozen=True)
class Boxed:
    """The boxes of one page: their traits, (N, T), and how far each is each mark, (M, N)."""

    page: str
    names: tuple[str, ...]
    boxes: Boxes
    traits: Values
    overlaps: Values
    centred: NDArray[np.bool_]  # (M, N): the box's centre lies in the mark
    unknown: NDArray[np.bool_]  # (N,): what overlaps a true stamp is neither mark nor other
    planes: NDArray[np.uint8]  # of the page's ink, for the pictures of its boxes
    letter: float
    sorts: tuple[str, ...]


def overlaps(boxes: Boxes, marks: Boxes) -> Values:
    """Intersection over union of each mark with each box, (M, N)."""
    low = np.maximum(boxes[None, :, :2], marks[:, None, :2])
    high = np.minimum(boxes[None, :, 2:], marks[:, None, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    area = [np.prod(some[:, 2:] - some[:, :2], axis=1) for some in (boxes, marks)]
    return np.asarray(common / (area[0][None] + area[1][:, None] - common), np.float32)


def boxed(
    name: str,
    page: NDArray[np.uint8],
    marks: Sequence[Sequence[float]],
    sorts: Sequence[str],
    stamps: Sequence[Sequence[float]] = (),
) -> Boxed:
    """Find the boxes of a page of working size, on which `marks` and `stamps` are known."""
    inks = separate_inks(page)
    boxes = candidates(inks)
    traits = describe(inks, boxes)
    scale = inks.ink.shape[1] / page.shape[1]
    known, true = (np.array(some, np.float32).reshape(-1, 4) * scale for some in (marks, stamps))
    unknown = (overlaps(boxes, true) > 0).any(axis=0)
    if name.startswith("synthetic"):
        # The drawn pages bear repository stamps that their truth does not list.
        unknown |= (traits["coloured"] > 0.5) | (traits["ring"] > 0.9)
    columns = np.stack(list(traits.values()), axis=1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    centred = (known[:, None, :2] < middle) & (middle < known[:, None, 2:])
    return Boxed(
        page=name,
        names=tuple(traits),
        boxes=boxes,
        traits=columns,
        overlaps=overlaps(boxes, known),
        centred=centred.all(axis=2),
        unknown=np.asarray(unknown, np.bool_),
        planes=ink_planes(inks),
        letter=inks.letter,
        sorts=tuple(sorts),
    )


def reduced(path: Path, boxes: Sequence[TrueBox]) -> tuple[NDArray[np.uint8], list[list[float]]]:
    """Read a page at working size, with its true boxes."""
    image = np.asarray(Image.open(path).convert("RGB"))
    page = working_copy(image)
    scale = page.shape[1] / image.shape[1]
    return page, [[v * scale for v in (b.left, b.top, b.right, b.bottom)] for b in boxes]


def among_clutter(
    page: NDArray[np.uint8],
    inks: Inks,
    rng: np.random.Generator,
    taken: Sequence[Box],
    sorts: Sequence[Sort],
) -> InlaidPage:
    """Lay things that are no marks into a page, then marks off them."""
    ink = writing_ink(page, inks)
    busy = tuple(taken)
    if ink is not None:
        letter = inks.letter * page.shape[1] / inks.ink.shape[1]
        kinds = [CLUTTER[int(nth)] for nth in rng.integers(0, len(CLUTTER), _THINGS)]
        page, boxes = lay_clutter_in(page, letter, ink, rng, kinds, busy)
        busy += boxes
    return lay_marks_in(page, inks, rng, _MARKS, busy, sorts)


def whole_pixels(boxes: Sequence[Sequence[float]]) -> list[Box]:
    return [(round(x), round(y), round(right), round(low)) for x, y, right, low in boxes]


def inlaid_examples(folder: Path, seed: int) -> list[Boxed]:
    examples = []
    for at, (path, true) in enumerate(scanned_pages(folder)):
        page, stamps = reduced(path, true)
        inks = separate_inks(page)
        taken = whole_pixels(stamps)
        for turn, sorts in enumerate(_ROUNDS):
            rng = np.random.default_rng([seed, at, turn])
            if turn in _CLUTTERED:
                laid = among_clutter(page, inks, rng, taken, sorts)
            else:
                laid = lay_marks_in(page, inks, rng, _MARKS, taken, sorts)
            examples.append(boxed(path.name, laid.image, laid.boxes, laid.sorts, stamps))
    return examples


def synthetic_examples(pages: int, seed: int) -> list[Boxed]:
    """Give each drawn page as it is, and once more with clutter and more marks of clerks."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for at, (path, true) in enumerate(synthetic_pages(Path(folder), pages, seed=99)):
            name, (page, marks) = f"synthetic {path.name}", reduced(path, true)
            sorts = [box.sort for box in true]
            found.append(boxed(name, page, marks, sorts))
            rng = np.random.default_rng([seed, at])
            inks = separate_inks(page)
            laid = among_clutter(page, inks, rng, whole_pixels(marks), BY_CLERKS)
            found.append(boxed(name, laid.image, [*marks, *laid.boxes], [*sorts, *laid.sorts]))
    return found


def labelled(example: Boxed, scores: Values | None) -> tuple[NDArray[np.bool_], Values]:
    """Which boxes are marks, (N,), and how much each box weighs; 0 for what is not known."""
    best = example.overlaps.max(axis=0, initial=0.0)
    marks = best >= _IS
    weight = np.where(best > _PARTLY, _PARTLY_WEIGHT, 1.0).astype(np.float32)
    weight[example.unknown | marks] = 0.0
    weight *= _OTHERS / max(float(weight.sum()), 1.0)
    if scores is not None:
        hard = weight * scores
        weight = (1 - _HARD) * weight + hard * (_HARD * _OTHERS / max(float(hard.sum()), 1e-6))
    for overlap in example.overlaps:
        fits = overlap >= _IS
        if fits.any():
            share = overlap[fits] - (_IS - 0.1)
            weight[fits] = share / share.sum()
    return marks, weight


def logistic(values: Values, marks: NDArray[np.bool_], weight: Values) -> NDArray[np.float64]:
    """Ridge-penalised weighted logistic regression by Newton's method: weights, then the bias."""
    mean = weight @ values / weight.sum()
    spread = np.sqrt(weight @ np.square(values - mean) / weight.sum()) + 1e-6
    scaled = np.column_stack([(values - mean) / spread, np.ones(len(values), np.float32)])
    penalty = np.full(scaled.shape[1], _RIDGE)
    penalty[-1] = 0.0
    found = np.zeros(scaled.shape[1])
    share = weight / weight.sum()
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(scaled @ found, -30, 30)))
        slope = scaled.T @ (share * (chance - marks)) + penalty * found
        curve = np.asarray(share * chance * (1 - chance), np.float32)
        bend = (scaled * curve[:, None]).T @ scaled + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < 1e-4:
            break
    plain = found[:-1] / spread
    return np.append(plain, found[-1] - plain @ mean)


def measures(examples: Sequence[Boxed]) -> Weights:
    """Mean and spread of the traits, as the first labels weigh them; no weights yet."""
    traits = np.concatenate([example.traits for example in examples])
    weight = np.concatenate([labelled(example, None)[1] for example in examples])
    mean = np.average(traits, axis=0, weights=weight)
    spread = np.sqrt(np.average(np.square(traits - mean), axis=0, weights=weight)) + 1e-6
    names = examples[0].names
    nothing = np.zeros(len(names), np.float32)
    return Weights(
        names,
        np.asarray(mean, np.float32),
        np.asarray(spread, np.float32),
        nothing,
        np.zeros((len(names), len(names)), np.float32),
        0.0,
    )


def fit(examples: Sequence[Boxed]) -> Weights:
    """Fit twice, the second time with an eye on what the first took for marks; set the bias."""
    rng = np.random.default_rng(0)
    weights = measures(examples)
    rows, columns = np.tril_indices(len(weights.names))
    for turn in range(2):
        values, marks, weight = [], [], []
        for example in examples:
            scores = likelihoods(by_name(example), weights) if turn else None
            is_mark, heavy = labelled(example, scores)
            other = ~is_mark & (heavy > 0)
            chance = np.where(other, np.minimum(1.0, _SAMPLE / _OTHERS * heavy), heavy > 0)
            kept = rng.random(len(heavy)) < chance
            plain = measured(by_name(example), weights)[kept]
            values.append(np.column_stack([plain, plain[:, rows] * plain[:, columns]]))
            marks.append(is_mark[kept])
            weight.append((heavy[kept] / chance[kept]).astype(np.float32))
        found = logistic(np.concatenate(values), np.concatenate(marks), np.concatenate(weight))
        single, pairs, bias = np.split(found, [len(weights.names), len(found) - 1])
        products = np.zeros((len(weights.names),) * 2, np.float32)
        products[rows, columns] = pairs
        weights = replace(
            weights,
            single=np.asarray(single, np.float32),
            products=products,
            bias=float(bias[0]),
        )
    return weights


@dataclass(frozen=True)
class Looked:
    """The boxes of a page that are looked at: their places in it, pictures and measured traits."""

    chosen: NDArray[np.intp]
    pictures: NDArray[np.uint8]
    traits: Values


def look(example: Boxed, weights: Weights) -> Looked:
    """Look at the boxes of a page that the regression puts first, as `propose_marks` does."""
    traits = by_name(example)
    chosen = np.array(worth_a_look(example.boxes, likelihoods(traits, weights)), np.intp)
    seen = pictures(example.planes, example.boxes[chosen], example.letter)
    return Looked(chosen, seen, measured(traits, weights)[chosen])


def learn_looks(examples: Sequence[Boxed], looked: Sequence[Looked], seed: int = 0) -> Appearance:
    """Train the network to tell how far a box is a mark, and set its threshold."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    shown, traits, wanted = [], [], []
    for example, some in zip(examples, looked, strict=True):
        best = example.overlaps[:, some.chosen].max(axis=0, initial=0.0)
        known = ~example.unknown[some.chosen] | (best >= _IS)
        shown.append(some.pictures[known])
        traits.append(some.traits[known])
        wanted.append(np.clip((best[known] - _NOT) / (_WHOLLY - _NOT), 0, 1))
    pixels = torch.from_numpy(np.concatenate(shown))
    columns = torch.from_numpy(np.concatenate(traits))
    target = torch.from_numpy(np.concatenate(wanted).astype(np.float32))
    net = _Network(columns.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS)
    # Marks are few among the boxes: each batch takes a third of them.
    chance = torch.where(target > 0, 0.35 / max(1.0, float((target > 0).sum())), 0.0)
    chance += torch.where(target > 0, 0.0, 0.65 / float((target == 0).sum()))
    for _ in range(_STEPS):
        batch = torch.multinomial(chance, _BATCH, replacement=True)
        seen = (pixels[batch].float() / 255.0).sqrt()
        turned = torch.rand(_BATCH) < 0.5
        seen[turned] = seen[turned].flip(3)
        darker = torch.empty(_BATCH, 1, 1, 1).uniform_(0.75, 1.3)
        seen = torch.cat([(seen[:, :3] * darker).clamp(max=1.0), seen[:, 3:]], dim=1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            net(seen, columns[batch]), target[batch]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.eval()
    found = net.appearance()
    level = least_shown(examples, looked, found)
    return replace(found, last_bias=np.asarray(found.last_bias - level, np.float32))


class _Network(torch.nn.Module):
    """What `ingest.appearance.looks` computes, where it can be trained."""

    def __init__(self, traits: int) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(4, 16, 5, stride=2, padding=2)
        self.second = torch.nn.Conv2d(16, 24, 3, stride=2, padding=1)
        self.third = torch.nn.Conv2d(24, 32, 3, stride=2, padding=1)
        self.hidden = torch.nn.Linear(32 * 5 * 5 + traits, 48)
        self.last = torch.nn.Linear(48, 1)

    def forward(self, shown: torch.Tensor, traits: torch.Tensor) -> torch.Tensor:
        for layer in (self.first, self.second, self.third):
            shown = torch.relu(layer(shown))
        features = torch.nn.functional.dropout(shown.flatten(1), 0.3, self.training)
        traits = torch.nn.functional.dropout(traits, 0.1, self.training)
        hidden = torch.relu(self.hidden(torch.cat([features, traits], dim=1)))
        found: torch.Tensor = self.last(hidden)[:, 0]
        return found

    def appearance(self) -> Appearance:
        numbers: dict[str, Values] = {}
        for name, values in self.named_parameters():
            layer, kind = name.split(".")
            array = values.detach().numpy().copy()
            numbers[layer if kind == "weight" else f"{layer}_bias"] = (
                array.T.copy() if array.ndim == 2 else array
            )
        return Appearance(**numbers)


def least_shown(
    examples: Sequence[Boxed], looked: Sequence[Looked], appearance: Appearance
) -> float:
    """Return the logit that `_FALSE` boxes a scan reach which are no marks."""
    false: list[float] = []
    scans = 0
    for example, some in zip(examples, looked, strict=True):
        if example.page.startswith("synthetic"):
            continue
        scans += 1
        scores = looks(some.pictures, some.traits, appearance)
        best = example.overlaps[:, some.chosen].max(axis=0, initial=0.0)
        kept = distinct(example.boxes[some.chosen], scores, 40)
        unknown = example.unknown[some.chosen]
        false += [scores[i] for i in kept if best[i] < 0.3 and not unknown[i]]
    level = float(np.sort(false)[-int(_FALSE * scans)])
    return float(np.log(level / (1 - level)))


def by_name(example: Boxed) -> dict[str, Values]:
    return dict(zip(example.names, example.traits.T, strict=True))


def measure(pages: Sequence[Boxed], weights: Weights, appearance: Appearance) -> None:
    """Print how well the marks of the pages are found with these weights and this network."""
    rows: dict[str, list[tuple[bool, ...]]] = {}
    shown, false = [], []
    for page in pages:
        some = look(page, weights)
        scores = looks(some.pictures, some.traits, appearance)
        kept = distinct(page.boxes[some.chosen], scores, 40)
        likely = scores[kept] >= DEFAULT_THRESHOLD
        places = some.chosen[kept]
        wrong = ~(page.centred[:, places] | (page.overlaps[:, places] >= 0.5)).any(axis=0)
        false.append(int((likely & wrong & ~page.unknown[places]).sum()))
        if not len(page.overlaps):
            shown.append(int(likely.sum()))
        for sort, overlap, centred in zip(page.sorts, page.overlaps, page.centred, strict=True):
            hit, near = overlap[places] >= 0.5, centred[places]
            each = (
                near[:FIRST], hit[:FIRST], near, hit, hit & likely,
                overlap[some.chosen] >= 0.5, overlap >= 0.5,
            )  # fmt: skip
            rows.setdefault(sort, []).append(tuple(bool(one.any()) for one in each))
    head = (
        "centre in 12", "IoU in 12", "centre in all", "IoU in all", "IoU shown",
        "looked at", "candidates",
    )  # fmt: skip
    print(f"{'':16s}{'boxes':>6s}" + "".join(f"{name:>15s}" for name in head))
    for sort, found in sorted(rows.items()):
        shares = np.mean(found, axis=0)
        print(f"{sort:16s}{len(found):6d}" + "".join(f"{share:15.3f}" for share in shares))
    print(f"  false shown a page: {np.mean(false):.1f}")
    if shown:
        print(f"  shown on pages without: median {np.median(shown):.0f}, mean {np.mean(shown):.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=Path, required=True, help="scans with regions.csv")
    parser.add_argument("--synthetic", type=int, default=120, help="synthetic pages to add")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--halves", action="store_true", help="fit on halves, measure on others")
    parser.add_argument("--write", action="store_true", help="put the weights into the program")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.process_time()
    laid = inlaid_examples(asked.pages, asked.seed)
    drawn = synthetic_examples(asked.synthetic, asked.seed)
    marks, seconds = sum(len(one.sorts) for one in laid), time.process_time() - began
    print(f"{len(laid)} scans with {marks} marks, {len(drawn)} synthetic pages: {seconds:.0f} s")
    weights, appearance = learn(laid + drawn)
    if asked.write:
        write_weights(FILE, weights)
        write_appearance(APPEARANCE_FILE, appearance)
    measure(laid, weights, appearance)
    if asked.halves:
        names = sorted({example.page for example in laid})
        halves = [set(names[: len(names) // 2]), set(names[len(names) // 2 :])]
        for fitted, other in (halves, halves[::-1]):
            pages = [
                boxed(path.name, *pair, [b.sort for b in true])
                for path, true in scanned_pages(asked.pages)
                if path.name in other
                for pair in [reduced(path, true)]
            ]
            unseen = [example for example in laid if example.page in other]
            half = learn([example for example in laid if example.page in fitted] + drawn)
            print(f"fitted on the scans {min(fitted)} ..., measured on {min(other)} ...")
            measure(pages, *half)
            measure(unseen, *half)


def learn(examples: Sequence[Boxed]) -> tuple[Weights, Appearance]:
    """Fit the regression, and the network on what it puts first."""
    weights = fit(examples)
    return weights, learn_looks(examples, [look(example, weights) for example in examples])


if __name__ == "__main__":
    main()
