from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from ingest.appearance import (
    SIDE,
    Appearance,
    ink_planes,
    looks,
    pictures,
    read_appearances,
    shipped_appearances,
    write_appearances,
)
from ingest.inks import separate_inks
from ingest.trait_weights import shipped_weights


def random_appearance(traits: int, seed: int = 0) -> Appearance:
    rng = np.random.default_rng(seed)
    shapes = {
        "first": (16, 4, 5, 5),
        "second": (24, 16, 3, 3),
        "third": (32, 24, 3, 3),
        "hidden": (32 * 5 * 5 + traits, 48),
        "last": (48, 1),
    }
    numbers = {}
    for name, shape in shapes.items():
        out = shape[-1] if len(shape) == 2 else shape[0]
        numbers[name] = rng.normal(0, 0.1, shape).astype(np.float32)
        numbers[f"{name}_bias"] = rng.normal(0, 0.1, out).astype(np.float32)
    return Appearance(**numbers)


def in_torch(shown: np.ndarray, traits: np.ndarray, net: Appearance) -> torch.Tensor:
    """What a network says of pictures, as torch computes it: logits."""
    t = {f.name: torch.from_numpy(getattr(net, f.name)) for f in fields(Appearance)}
    x = (torch.from_numpy(shown.copy()).float() / 255).sqrt()
    for name, pad in (("first", 2), ("second", 1), ("third", 1)):
        x = functional.conv2d(x, t[name], t[f"{name}_bias"], stride=2, padding=pad).relu()
    x = torch.cat([x.flatten(1), torch.from_numpy(traits)], dim=1)
    x = (x @ t["hidden"] + t["hidden_bias"]).relu() @ t["last"] + t["last_bias"]
    return x[:, 0]


def test_the_best_are_looked_at_by_all_networks_and_mirrored_the_others_by_the_first() -> None:
    networks = [random_appearance(traits=3, seed=seed) for seed in range(3)]
    rng = np.random.default_rng(1)
    shown = rng.integers(0, 256, (50, 4, SIDE, SIDE)).astype(np.uint8)
    traits = rng.normal(size=(50, 3)).astype(np.float32)
    at_first = in_torch(shown, traits, networks[0])
    every = [in_torch(some, traits, net) for net in networks for some in (shown, shown[..., ::-1])]
    together = torch.stack(every).mean(dim=0)
    best = at_first >= at_first.sort(descending=True).values[39]
    wanted = torch.where(best, together, at_first).sigmoid().numpy()
    np.testing.assert_allclose(looks(shown, traits, networks), wanted, atol=1e-5)
    assert np.abs(wanted - at_first.sigmoid().numpy()).max() > 1e-3


def test_a_picture_shows_the_box_in_its_middle() -> None:
    planes = np.zeros((300, 400, 2), np.uint8)
    planes[100:160, 200:220] = 200, 90
    (shown,) = pictures(planes, np.array([[200, 100, 220, 160]], np.float32), letter=10)
    near, other, afar, box = shown
    assert set(np.unique(box)) == {0, 255}
    rows, columns = np.nonzero(box)
    assert abs(rows.mean() - SIDE / 2) <= 1
    assert abs(columns.mean() - SIDE / 2) <= 1
    assert np.ptp(rows) > 2.5 * np.ptp(columns)
    assert np.mean((near > 100) == (box > 0)) > 0.95
    assert other.max() == 90
    assert 0 < (afar > 50).sum() < (near > 50).sum() / 4


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (380, 280, 400, 300), (0, 0, 400, 300)])
def test_a_picture_at_the_edge_is_blank_beyond_it(box: tuple[int, ...]) -> None:
    planes = np.full((300, 400, 2), 255, np.uint8)
    (shown,) = pictures(planes, np.array([box], np.float32), letter=10)
    assert (shown[0][shown[3] > 0] == 255).all()
    assert 0 < (shown[0] == 0).mean() < 0.8
    assert (shown[2] == 0).mean() > 0.3


def test_networks_come_back_as_they_were_written(tmp_path: Path) -> None:
    networks = [random_appearance(traits=2, seed=seed) for seed in range(2)]
    write_appearances(tmp_path / "a.safetensors", networks)
    found = read_appearances(tmp_path / "a.safetensors")
    assert len(found) == 2
    for one, net in zip(found, networks, strict=True):
        for field in fields(Appearance):
            wanted = getattr(net, field.name).astype(np.float16)
            np.testing.assert_array_equal(getattr(one, field.name), wanted)


def test_the_shipped_networks_look_at_what_the_program_shows_it() -> None:
    page = np.full((200, 200, 3), 230, np.uint8)
    page[60:70, 60:140] = page[60:140, 95:105] = 40
    inks = separate_inks(page)
    shown = pictures(ink_planes(inks), np.array([[28, 28, 72, 72]], np.float32), inks.letter)
    traits = np.zeros((1, len(shipped_weights().names)), np.float32)
    (score,) = looks(shown, traits, shipped_appearances())
    assert 0 < score < 1


def test_no_boxes_have_no_looks() -> None:
    shown = pictures(np.zeros((50, 50, 2), np.uint8), np.zeros((0, 4), np.float32), 10.0)
    assert shown.shape == (0, 4, SIDE, SIDE)
    assert looks(shown, np.zeros((0, 2), np.float32), [random_appearance(2)]).shape == (0,)
