from __future__ import annotations

import pytest
import torch

from retrieval.catalogue.errors import ModelError
from retrieval.gan.architecture import (
    ARCHITECTURES,
    Architecture,
    Generator,
    architecture,
    draw_weights,
)
from retrieval.model import build_discriminator


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("objective", ["contrastive", "non-saturating"])
def test_shapes(name: str, objective: str) -> None:
    shape = architecture(name)
    discriminator = build_discriminator(shape, objective).eval()
    pictures = torch.zeros(2, 1, shape.size, shape.size)
    features = discriminator.trunk(pictures)
    assert features.shape == (2, *shape.last_map)
    assert discriminator.realism(features).shape == (2,)
    vectors = discriminator.embed(torch.randn(2, 1, shape.size, shape.size))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    generated = Generator(shape)(torch.randn(2, shape.latent))
    assert generated.shape == (2, 1, shape.size, shape.size)
    assert generated.abs().max() <= 1


def test_thin_gan_has_as_many_parameters_as_sketch_gan() -> None:
    trunks = (
        build_discriminator(architecture(name), "non-saturating").trunk
        for name in ("sketch-gan", "thin-gan")
    )
    thick, thin = (sum(weights.numel() for weights in trunk.parameters()) for trunk in trunks)
    assert abs(thick - thin) / thick < 0.1
    assert architecture("sketch-gan").kernels[0] > architecture("thin-gan").kernels[0]


def test_unknown_architecture_names_the_known() -> None:
    with pytest.raises(ModelError, match="dcgan, dcgan-attention, sketch-gan, thin-gan"):
        architecture("resnet")


def test_weights_come_from_the_seed_alone() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(int(torch.randint(1000, ()).item()))
        network = build_discriminator(architecture("dcgan"), "contrastive")
        draw_weights(network, seed)
        return torch.cat([value.flatten().float() for value in network.state_dict().values()])

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_a_discriminator_taught_on_small_pictures_goes_on_with_large_ones() -> None:
    small, large = (
        build_discriminator(Architecture("dcgan", size=size, width=8), "contrastive")
        for size in (64, 96)
    )
    large.load_state_dict(small.state_dict())
    assert large.eval().embed(torch.randn(2, 1, 96, 96)).shape == (2, 128)
