"""Where, in which precision and in which mode the networks run, and how pictures come there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from retrieval.ink import Pixels


@dataclass(frozen=True)
class Compute:
    """A device and the precision its matrix products are made in."""

    device: torch.device
    bf16: bool

    def autocast(self) -> torch.autocast:
        """Return the context in which networks run: bfloat16 where it pays, else float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def __str__(self) -> str:
        return f"{self.device.type}, {'bfloat16' if self.bf16 else 'float32'}"


def _bf16_in_silicon() -> bool:
    # Without the instructions bfloat16 is emulated and takes twice as long as float32.
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def best_compute() -> Compute:
    """Return CUDA with bfloat16 if there is a device, else the CPU with what it is good at."""
    if torch.cuda.is_available():
        return Compute(torch.device("cuda"), bf16=True)
    return Compute(torch.device("cpu"), bf16=_bf16_in_silicon())


def as_pictures(ink: Pixels, device: torch.device) -> Tensor:
    """Return stored ink, (N, S, S) uint8 with 255 = ink, as (N, 1, S, S) float32 in [-1, 1]."""
    pictures = torch.from_numpy(np.ascontiguousarray(ink)).to(device).float()
    return (pictures / 127.5 - 1).unsqueeze(1)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Have `network` evaluate, without gradients; how it was before, it is again afterwards."""
    trained = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(trained)
