from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from retrieval.gan.objectives import (
    fakes_apart_loss,
    non_saturating_discriminator_loss,
    non_saturating_generator_loss,
    nt_xent_loss,
)


def test_contrast_of_indistinct_views_is_the_log_of_the_choices() -> None:
    same = F.normalize(torch.ones(4, 8), dim=1)
    assert nt_xent_loss(same, same, 0.1).item() == pytest.approx(math.log(7), abs=1e-5)


def test_contrast_by_hand() -> None:
    first = torch.eye(3)
    choices = math.exp(1 / 0.5) + 4 * math.exp(0)
    expected = -math.log(math.exp(1 / 0.5) / choices)
    assert nt_xent_loss(first, first, 0.5).item() == pytest.approx(expected, abs=1e-5)


def test_contrast_prefers_the_partner_to_a_stranger() -> None:
    first = torch.eye(4)
    assert nt_xent_loss(first, first, 0.1) < nt_xent_loss(first, first.roll(1, 0), 0.1)


def test_fakes_are_held_together_and_apart_from_reals() -> None:
    fake, real = torch.eye(6)[:1].repeat(3, 1), torch.eye(6)[3:]
    assert fakes_apart_loss(fake, real, 0.1) < fakes_apart_loss(torch.eye(6)[:3], real, 0.1)
    assert fakes_apart_loss(fake, real, 0.1) < fakes_apart_loss(fake, fake, 0.1)


def test_fakes_apart_by_hand() -> None:
    same = F.normalize(torch.ones(3, 4), dim=1)
    assert fakes_apart_loss(same, same, 0.1).item() == pytest.approx(math.log(5), abs=1e-5)


def test_non_saturating_losses_at_indecision() -> None:
    undecided = torch.zeros(5)
    loss = non_saturating_discriminator_loss(undecided, undecided)
    assert loss.item() == pytest.approx(2 * math.log(2), abs=1e-6)
    assert non_saturating_generator_loss(undecided).item() == pytest.approx(math.log(2), abs=1e-6)


def test_the_generator_still_gets_a_gradient_when_it_is_found_out() -> None:
    found_out = torch.full((1,), -20.0, requires_grad=True)
    non_saturating_generator_loss(found_out).backward()
    assert found_out.grad is not None
    assert found_out.grad.item() == pytest.approx(-1.0, abs=1e-6)
