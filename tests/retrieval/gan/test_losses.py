"""Every loss against a value worked out by hand, and the way its gradient points."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from retrieval.gan.objectives import (
    OBJECTIVES,
    hinge,
    least_squares,
    loss_sensitive,
    minimax,
    non_saturating,
    wasserstein,
)
from retrieval.gan.objectives.contrastive import fakes_apart_loss
from retrieval.gan.objectives.objective import Critic, Game, Verdicts
from retrieval.gan.objectives.simclr import contrast_loss
from retrieval.gan.objectives.wasserstein_gp import gradient_penalty
from retrieval.gan.switches.r1 import r1_penalty

GAMES = {name: one for name, one in OBJECTIVES.items() if isinstance(one, Game)}
REAL, FAKE, DISTANCE = [2.0, 0.0], [-1.0, 1.0], [0.4, 0.8]


def verdicts() -> Verdicts:
    return Verdicts(torch.tensor(REAL), torch.tensor(FAKE), torch.tensor(DISTANCE))


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


CROSS_ENTROPY = (softplus(-2) + softplus(0) + softplus(-1) + softplus(1)) / 2


@pytest.mark.parametrize(
    ("discriminator_loss", "generator_loss", "of_discriminator", "of_generator"),
    [
        (
            minimax.discriminator_loss,
            minimax.generator_loss,
            CROSS_ENTROPY,
            -(softplus(-1) + softplus(1)) / 2,
        ),
        (
            non_saturating.discriminator_loss,
            non_saturating.generator_loss,
            CROSS_ENTROPY,
            (softplus(1) + softplus(-1)) / 2,
        ),
        (
            least_squares.discriminator_loss,
            least_squares.generator_loss,
            ((1 + 1) / 2 + (1 + 1) / 2) / 2,
            (4 + 0) / 2 / 2,
        ),
        (wasserstein.critic_loss, wasserstein.generator_loss, 0.0 - 1.0, 0.0),
        (hinge.discriminator_loss, hinge.generator_loss, (0 + 1) / 2 + (0 + 2) / 2, 0.0),
        (
            loss_sensitive.discriminator_loss,
            loss_sensitive.generator_loss,
            (max(0, 2.5 * 0.4 - 2 - 1) + (2.5 * 0.8 - 0 + 1)) / 2,
            0.0,
        ),
    ],
    ids=["minimax", "non-saturating", "least-squares", "wasserstein", "hinge", "loss-sensitive"],
)
def test_adversarial_losses_by_hand(
    discriminator_loss, generator_loss, of_discriminator, of_generator
) -> None:
    assert discriminator_loss(verdicts()).item() == pytest.approx(of_discriminator, abs=1e-6)
    assert generator_loss(torch.tensor(FAKE)).item() == pytest.approx(of_generator, abs=1e-6)


@pytest.mark.parametrize("name", GAMES)
def test_each_player_is_pushed_its_own_way(name: str) -> None:
    """Going down its loss, D raises what is real and lowers what is not; G raises its own."""
    real, fake, mine = (torch.tensor([0.4], requires_grad=True) for _ in range(3))
    GAMES[name].discriminator_loss(Verdicts(real, fake, torch.ones(1))).backward()
    GAMES[name].generator_loss(mine).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert mine.grad is not None
    assert real.grad.item() < 0
    assert fake.grad.item() > 0
    assert mine.grad.item() < 0


def test_a_generator_found_out_still_learns_unless_it_plays_minimax() -> None:
    slopes = {}
    for module in (minimax, non_saturating):
        found_out = torch.full((1,), -20.0, requires_grad=True)
        module.generator_loss(found_out).backward()
        assert found_out.grad is not None
        slopes[module] = found_out.grad.item()
    assert slopes[non_saturating] == pytest.approx(-1.0, abs=1e-6)
    assert slopes[minimax] == pytest.approx(0.0, abs=1e-6)


def test_a_margin_that_is_kept_asks_nothing_more() -> None:
    kept = Verdicts(torch.tensor([5.0]), torch.tensor([0.0]), torch.tensor([1.0]))
    assert loss_sensitive.discriminator_loss(kept).item() == 0.0


def linear(slope: torch.Tensor) -> Critic:
    return lambda pictures: (pictures * slope).sum(dim=(1, 2, 3))


def pictures(seed: int) -> torch.Tensor:
    return torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("length", "expected"), [(1.0, 0.0), (3.0, 10 * 4.0), (0.5, 10 * 0.25)])
def test_gradient_penalty_is_of_the_slope_less_one(length: float, expected: float) -> None:
    slope = F.normalize(pictures(0)[:1].flatten(), dim=0).view(1, 1, 4, 4) * length
    source = torch.Generator().manual_seed(0)
    penalty = gradient_penalty(linear(slope), pictures(1), pictures(2), source)
    assert penalty.item() == pytest.approx(expected, abs=1e-4)


def test_gradient_penalty_looks_between_real_and_generated() -> None:
    seen = []

    def critic(at: torch.Tensor) -> torch.Tensor:
        seen.append(at.detach())
        return at.sum(dim=(1, 2, 3))

    real, fake = torch.zeros(50, 1, 2, 2), torch.ones(50, 1, 2, 2)
    gradient_penalty(critic, real, fake, torch.Generator().manual_seed(0))
    shares = seen[0][:, 0, 0, 0]
    assert torch.equal(seen[0], shares.view(-1, 1, 1, 1).expand_as(seen[0])), "one a picture"
    assert shares.min() < 0.2
    assert shares.max() > 0.8


def test_gradient_penalty_teaches_the_critic_its_slope() -> None:
    slope = torch.full((1, 1, 4, 4), 0.1, requires_grad=True)
    source = torch.Generator().manual_seed(0)
    gradient_penalty(linear(slope), pictures(1), pictures(2), source).backward()
    assert slope.grad is not None
    assert (slope.grad < 0).all(), "0.4 is too flat: it must grow"


def test_a_flat_critic_has_a_penalty_that_is_finite_to_its_gradient() -> None:
    slope = torch.zeros(1, 1, 4, 4, requires_grad=True)
    source = torch.Generator().manual_seed(0)
    gradient_penalty(linear(slope), pictures(1), pictures(2), source).backward()
    assert slope.grad is not None
    assert torch.isfinite(slope.grad).all()


def test_r1_of_a_linear_critic_is_half_its_weight_times_the_squared_slope() -> None:
    slope = torch.full((1, 1, 4, 4), 0.5, requires_grad=True)
    penalty = r1_penalty(linear(slope), pictures(1), pictures(2), torch.Generator())
    assert penalty.item() == pytest.approx(10 / 2 * 16 * 0.25, abs=1e-5)
    penalty.backward()
    torch.testing.assert_close(slope.grad, 10 * slope.detach())


def test_r1_is_of_real_marks_alone() -> None:
    def critic(at: torch.Tensor) -> torch.Tensor:
        return at.square().sum(dim=(1, 2, 3)) / 2  # its slope at x is x

    real = pictures(1)
    penalty = r1_penalty(critic, real, pictures(2), torch.Generator())
    assert penalty.item() == pytest.approx(5 * real.square().sum().item() / 5, rel=1e-5)


def test_contrast_of_indistinct_views_is_the_log_of_the_choices() -> None:
    same, owners = F.normalize(torch.ones(4, 8), dim=1), torch.arange(4)
    assert contrast_loss(same, same, owners, 0.1).item() == pytest.approx(math.log(7), abs=1e-5)


def test_contrast_by_hand() -> None:
    first = torch.eye(3)
    choices = math.exp(1 / 0.5) + 4 * math.exp(0)
    expected = -math.log(math.exp(1 / 0.5) / choices)
    loss = contrast_loss(first, first, torch.arange(3), 0.5)
    assert loss.item() == pytest.approx(expected, abs=1e-5)


def test_contrast_prefers_the_partner_to_a_stranger() -> None:
    first, owners = torch.eye(4), torch.arange(4)
    apart = contrast_loss(first, first.roll(1, 0), owners, 0.1)
    assert contrast_loss(first, first, owners, 0.1) < apart


def test_contrast_of_two_marks_of_one_owner_by_hand() -> None:
    first = torch.eye(3)  # the first two are one owner's, and not alike
    to_itself, to_another = 1 / 0.5, 0.0
    choices = math.log(math.exp(to_itself) + 4 * math.exp(to_another))
    of_two = choices - (to_itself + 2 * to_another) / 3
    expected = (2 * of_two + choices - to_itself) / 3
    loss = contrast_loss(first, first, torch.tensor([7, 7, 2]), 0.5)
    assert loss.item() == pytest.approx(expected, abs=1e-5)


def test_fakes_are_held_together_and_apart_from_reals() -> None:
    fake, real = torch.eye(6)[:1].repeat(3, 1), torch.eye(6)[3:]
    assert fakes_apart_loss(fake, real, 0.1) < fakes_apart_loss(torch.eye(6)[:3], real, 0.1)
    assert fakes_apart_loss(fake, real, 0.1) < fakes_apart_loss(fake, fake, 0.1)


def test_fakes_apart_by_hand() -> None:
    same = F.normalize(torch.ones(3, 4), dim=1)
    assert fakes_apart_loss(same, same, 0.1).item() == pytest.approx(math.log(5), abs=1e-5)
