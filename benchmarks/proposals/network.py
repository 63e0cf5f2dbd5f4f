"""Trains the networks that look at the best boxes: `ingest/appearance.safetensors`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from proposals.boxes import IS_MARK, Boxed, Values, by_name

from ingest.appearance import Appearance, looks, pictures
from ingest.segmentation import distinct, worth_a_look
from ingest.trait_weights import Weights, likelihoods, measured

#: A box is no mark up to this overlap, and wholly one from this on.
_NOT, _WHOLLY = 0.35, 0.8
#: Pictures a step, steps, greatest learning rate.
_BATCH, _STEPS, _RATE = 256, 3000, 3e-3
#: Networks that look, each begun with other numbers.
_NETWORKS = 3
#: False proposals a scan that the threshold lets through.
_FALSE = 4.0


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


def learn_looks(examples: Sequence[Boxed], looked: Sequence[Looked]) -> tuple[Appearance, ...]:
    """Train networks to tell how far a box is a mark, and set their threshold."""
    torch.set_num_threads(1)
    shown, traits, wanted = [], [], []
    for example, some in zip(examples, looked, strict=True):
        best = example.overlaps[:, some.chosen].max(axis=0, initial=0.0)
        known = ~example.unknown[some.chosen] | (best >= IS_MARK)
        shown.append(some.pictures[known])
        traits.append(some.traits[known])
        wanted.append(np.clip((best[known] - _NOT) / (_WHOLLY - _NOT), 0, 1))
    pixels = torch.from_numpy(np.concatenate(shown))
    columns = torch.from_numpy(np.concatenate(traits))
    target = torch.from_numpy(np.concatenate(wanted).astype(np.float32))
    networks = [_learned(pixels, columns, target, seed) for seed in range(_NETWORKS)]
    level = least_shown(examples, looked, networks)
    return tuple(
        replace(one, last_bias=np.asarray(one.last_bias - level, np.float32)) for one in networks
    )


def _learned(
    pixels: torch.Tensor, columns: torch.Tensor, target: torch.Tensor, seed: int
) -> Appearance:
    """Train one network on boxes' pictures, traits and how far they are marks."""
    torch.manual_seed(seed)
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
    return net.eval().appearance()


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
    examples: Sequence[Boxed], looked: Sequence[Looked], networks: Sequence[Appearance]
) -> float:
    """Return the logit that `_FALSE` boxes a scan reach which are no marks."""
    false: list[float] = []
    scans = 0
    for example, some in zip(examples, looked, strict=True):
        if example.page.startswith("synthetic"):
            continue
        scans += 1
        scores = looks(some.pictures, some.traits, networks)
        best = example.overlaps[:, some.chosen].max(axis=0, initial=0.0)
        kept = distinct(example.boxes[some.chosen], scores, 40)
        unknown = example.unknown[some.chosen]
        false += [scores[i] for i in kept if best[i] < 0.3 and not unknown[i]]
    level = float(np.sort(false)[-int(_FALSE * scans)])
    return float(np.log(level / (1 - level)))
