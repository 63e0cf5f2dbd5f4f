from __future__ import annotations

import pytest
import torch
from torch import nn

from retrieval.gan.device import evaluating


@pytest.mark.parametrize("trained", [True, False])
def test_a_network_that_fails_while_it_evaluates_is_as_it_was_before(trained: bool) -> None:
    network = nn.Dropout().train(trained)
    with pytest.raises(ValueError, match="no such mark"), evaluating(network):
        assert not network.training
        assert not torch.is_grad_enabled()
        raise ValueError("no such mark")
    assert network.training == trained
    assert torch.is_grad_enabled()
