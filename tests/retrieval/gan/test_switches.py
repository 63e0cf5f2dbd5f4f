from __future__ import annotations

import pytest
import torch
from torch import nn

from retrieval.catalogue.errors import TrainingError
from retrieval.gan import recipes
from retrieval.gan.architecture import (
    AdversarialDiscriminator,
    Architecture,
    Generator,
    architecture,
    draw_weights,
)
from retrieval.gan.attention import SelfAttention
from retrieval.gan.objectives import OBJECTIVES
from retrieval.gan.objectives.objective import Game
from retrieval.gan.players import Players, averaged
from retrieval.gan.switches import SWITCHES, switches_of
from retrieval.gan.switches.minibatch import KERNELS, MinibatchDiscrimination
from retrieval.gan.switches.spectral import settle
from retrieval.model import build_discriminator

TINY = Architecture("dcgan", size=32, width=8)


def discriminator(*switches: str, objective: str = "hinge", series: int = 0) -> nn.Module:
    network = build_discriminator(TINY, objective, switches, series)
    draw_weights(network, 1)
    settle(network)
    return network


def pictures(count: int = 6) -> torch.Tensor:
    source = torch.Generator().manual_seed(0)
    return torch.rand(count, 1, 32, 32, generator=source) * 2 - 1


def test_help_names_what_there_is() -> None:
    assert list(recipes.RECIPES) == list(OBJECTIVES)
    assert list(recipes.SWITCH_HELP) == list(SWITCHES)


def test_switches_are_parsed_into_one_order() -> None:
    assert recipes.parse_switches("r1, minibatch,r1,") == ("minibatch", "r1")
    assert recipes.parse_switches("") == ()
    with pytest.raises(TrainingError, match=r"no switch 'dropout'.*spectral-norm"):
        recipes.parse_switches("r1,dropout")


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", SWITCHES)
def test_what_cannot_go_together_is_refused_with_what_to_do(objective: str, name: str) -> None:
    chosen = OBJECTIVES[objective]
    if not isinstance(chosen, Game):
        with pytest.raises(TrainingError, match="Leave out --with, or choose one of: minimax"):
            switches_of(objective, (name,))
    elif chosen.constraint and name in ("r1", "spectral-norm"):
        with pytest.raises(TrainingError, match=rf"no effect.*Leave out {name}"):
            switches_of(objective, (name,))
    else:
        assert switches_of(objective, (name,)) == (SWITCHES[name],)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(TrainingError, match="no switch 'dropout'"):
        switches_of("hinge", ("dropout",))
    with pytest.raises(TrainingError, match="no objective 'supervised'"):
        switches_of("supervised", ())


def largest_singular_value(module: nn.Module) -> float:
    return torch.linalg.matrix_norm(module.weight.detach().flatten(1), 2).item()


def test_spectral_norm_makes_the_largest_singular_value_one() -> None:
    network = discriminator("minibatch", "conditional", "spectral-norm", series=3).eval()
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]
    assert len(layers) == 4 + 1 + 2 + 1
    for layer in layers:
        assert largest_singular_value(layer) == pytest.approx(1.0, abs=0.1)
    assert largest_singular_value(discriminator().trunk.layers[1][0]) != pytest.approx(1.0, abs=0.1)


def test_spectral_norm_has_its_vectors_in_the_state_and_batch_norm_is_gone() -> None:
    network = discriminator("spectral-norm")
    assert sum(name.endswith("._u") for name in network.state_dict()) == 5
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_the_average_keeps_singular_vectors_whole() -> None:
    network = discriminator("spectral-norm")
    kept = averaged(network)
    network.trunk(pictures())
    draw_weights(network, 2)
    idle = torch.optim.SGD(network.parameters(), 0.1)
    Players(network, Generator(TINY), kept, idle, idle).follow(0.5)
    state = kept.state_dict()
    lengths = [state[name].norm().item() for name in state if name.endswith(("._u", "._v"))]
    assert lengths == pytest.approx([1.0] * 10, abs=1e-4)


@pytest.mark.parametrize(("switches", "objective"), [(("r1",), "hinge"), ((), "wasserstein-gp")])
def test_where_slopes_are_penalised_a_verdict_is_of_its_own_picture(
    switches: tuple[str, ...], objective: str
) -> None:
    network = discriminator(*switches, objective=objective).train()
    alone = network.realism(network.trunk(pictures()[:1]))
    among = network.realism(network.trunk(pictures()))[:1]
    torch.testing.assert_close(alone, among, atol=1e-5, rtol=1e-4)


def test_minibatch_discrimination_shape_and_sense() -> None:
    layer = MinibatchDiscrimination(8)
    features = torch.randn(5, 8, 2, 2, generator=torch.Generator().manual_seed(0))
    closeness = layer.closeness(features)
    assert closeness.shape == (5, KERNELS)
    assert layer(features, None).shape == (5,)
    assert (closeness >= 0).all()
    same = layer.closeness(features[:1].expand(5, -1, -1, -1))
    torch.testing.assert_close(same, torch.full((5, KERNELS), 4.0))  # four others, all alike
    assert (closeness < same).all()
    torch.testing.assert_close(layer.closeness(features[:1]), torch.zeros(1, KERNELS))


def test_a_series_changes_the_verdict_and_not_the_features() -> None:
    network = discriminator("conditional", series=3).eval()
    features = network.trunk(pictures())
    first, second = (
        network.realism(features, torch.full((6,), code, dtype=torch.int64)) for code in (1, 2)
    )
    assert not torch.allclose(first, second)
    assert network.realism(features).shape == (6,), "a sketch has no series"
    assert network.embed(pictures()).shape == discriminator().embed(pictures()).shape


def test_a_conditional_generator_draws_by_series() -> None:
    generator = Generator(TINY, series=3).eval()
    draw_weights(generator, 1)
    latent = torch.randn(4, TINY.latent, generator=torch.Generator().manual_seed(0))
    none, first = (generator(latent, torch.full((4,), code, dtype=torch.int64)) for code in (0, 1))
    assert first.shape == (4, 1, 32, 32)
    assert not torch.allclose(none, first)
    torch.testing.assert_close(generator(latent), none)


@pytest.mark.parametrize("side", [8, 6])
def test_attention_starts_as_the_identity_and_can_learn(side: int) -> None:
    layer = SelfAttention(16)
    features = torch.randn(2, 16, side, side, requires_grad=True)
    assert torch.equal(layer(features), features)
    layer(features).square().sum().backward()
    assert layer.gain.grad is not None
    assert layer.gain.grad.item() != 0


def test_attention_looks_across_the_whole_map() -> None:
    layer = SelfAttention(16)
    with torch.no_grad():
        layer.gain.fill_(1.0)
    features = torch.randn(1, 16, 8, 8)
    changed = features.clone()
    changed[..., 7, 7] += 5
    assert not torch.allclose(layer(features)[..., 0, 0], layer(changed)[..., 0, 0])


def test_attention_has_a_second_derivative() -> None:
    layer = SelfAttention(16)
    with torch.no_grad():
        layer.gain.fill_(1.0)
    features = torch.randn(1, 16, 4, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(features).square().sum(), features, create_graph=True)
    slope.square().sum().backward()
    assert layer.query.weight.grad is not None
    assert layer.query.weight.grad.abs().sum() > 0


def test_the_architecture_with_attention_has_it_once_and_starts_as_the_one_without() -> None:
    shape = architecture("dcgan-attention")
    with_it = build_discriminator(shape, "non-saturating").eval()
    layers = [m for m in with_it.modules() if isinstance(m, SelfAttention)]
    assert len(layers) == 1
    without = AdversarialDiscriminator(architecture("dcgan")).eval()
    fitting = {k: v for k, v in with_it.state_dict().items() if k in without.state_dict()}
    without.load_state_dict(fitting)
    seen = torch.rand(1, 1, 96, 96)
    torch.testing.assert_close(with_it.trunk(seen), without.trunk(seen))


def test_diffaugment_keeps_the_shape_and_lets_gradients_through() -> None:
    (switch,) = switches_of("hinge", ("diffaugment",))
    assert switch.view is not None
    given = pictures().requires_grad_()
    seen = switch.view(given, torch.Generator().manual_seed(0))
    assert seen.shape == given.shape
    seen.sum().backward()
    assert given.grad is not None
    assert given.grad.abs().sum() > 0
