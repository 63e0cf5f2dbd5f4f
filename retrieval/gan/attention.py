"""Self-attention over a map (Zhang et al. 2019, "SAGAN", arXiv 1805.08318).

A convolution sees a neighbourhood; a staff and the arms far above it are one mark.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """Each cell of a map (N, C, s, s) adds what it gathers from all: same shape out.

    `gain` starts at 0, so a new layer is the identity and learns to look around.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, max(1, channels // 8), 1, bias=False)
        self.key = nn.Conv2d(channels, max(1, channels // 8), 1, bias=False)
        self.value = nn.Conv2d(channels, max(1, channels // 2), 1, bias=False)
        self.output = nn.Conv2d(max(1, channels // 2), channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """Return the map with what every cell gathered added to it."""
        queries = self.query(features).flatten(2)
        # Keys and values at half the side, as the authors' program has it: a quarter of the cost.
        keys = F.max_pool2d(self.key(features), 2).flatten(2)
        values = F.max_pool2d(self.value(features), 2).flatten(2)
        # Spelt out, for the fused kernels have no second derivative, which gradient penalties need.
        shares = (queries.transpose(1, 2) @ keys).float().softmax(dim=2)
        gathered = values @ shares.to(values.dtype).transpose(1, 2)
        added: Tensor = self.output(gathered.unflatten(2, features.shape[2:]))
        return features + self.gain * added
