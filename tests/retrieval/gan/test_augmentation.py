from __future__ import annotations

import torch

from retrieval.gan.augmentation import STANDARD, Strength, augment


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bar() -> torch.Tensor:
    pictures = torch.full((8, 1, 64, 64), -1.0)
    pictures[:, :, 12:52, 30:34] = 1.0
    return pictures


def test_range_and_shape_are_kept() -> None:
    seen = augment(bar(), source())
    assert seen.shape == (8, 1, 64, 64)
    assert seen.min() >= -1
    assert seen.max() <= 1


def test_views_differ_and_are_seeded() -> None:
    assert torch.equal(augment(bar(), source(1)), augment(bar(), source(1)))
    assert not torch.equal(augment(bar(), source(1)), augment(bar(), source(2)))


def test_what_comes_in_from_outside_is_paper() -> None:
    still = Strength(0, 0, 0, 0.45, 0, 0, 0, 0, 0)
    seen = augment(torch.full((16, 1, 64, 64), 1.0), source(), still)
    moved_in = seen[(seen < 1).expand_as(seen)]
    assert len(moved_in) > 0
    assert (moved_in == -1).float().mean() > 0.9, "paper, not mid-grey"


def test_nothing_happens_at_no_strength() -> None:
    seen = augment(bar(), source(), Strength(0, 0, 0, 0, 0, 0, 0, 0, 0))
    torch.testing.assert_close(seen, bar(), atol=1e-4, rtol=0)


def test_a_mark_is_never_mirrored() -> None:
    """An L stays an L: its view is nearer to itself than to its mirror image."""
    letter = torch.full((64, 1, 64, 64), -1.0)
    letter[:, :, 10:54, 20:25] = 1.0
    letter[:, :, 49:54, 20:46] = 1.0
    seen = augment(letter, source(3), STANDARD)

    def likeness(other: torch.Tensor) -> torch.Tensor:
        blurred = torch.nn.functional.avg_pool2d
        return (blurred(seen + 1, 9, 4) * blurred(other + 1, 9, 4)).sum(dim=(1, 2, 3))

    upright = likeness(letter) > likeness(letter.flip(3))
    assert upright.float().mean() > 0.9


def test_gradients_reach_generated_marks() -> None:
    pictures = bar().requires_grad_()
    augment(pictures, source()).sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.abs().sum() > 0
