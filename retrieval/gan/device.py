"""Where and in which precision the networks run."""

from __future__ import annotations

from dataclasses import dataclass

import torch


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
