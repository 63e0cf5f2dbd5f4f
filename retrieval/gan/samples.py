"""A sheet of generated marks: what the generator has understood so far."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from retrieval.gan.architecture import Generator
from retrieval.gan.device import evaluating

ROWS, COLUMNS = 6, 10


def sample_sheet(generator: Generator) -> NDArray[np.uint8]:
    """Return ROWS x COLUMNS generated marks, ink dark on white, as one grey image.

    Of a conditional generator each row is another series, as far as rows go; the first has none.
    """
    source = torch.Generator().manual_seed(0)  # the same latents at every checkpoint
    latent = torch.randn((ROWS * COLUMNS, generator.shape.latent), generator=source)
    device = next(generator.parameters()).device
    told = generator.series
    series = torch.arange(len(latent), device=device) // COLUMNS
    series = series % told.num_embeddings if told is not None else series
    with evaluating(generator):
        pictures = generator(latent.to(device), series).float().cpu().numpy()[:, 0]
    side = pictures.shape[-1]
    tiles = np.clip((1 - pictures) * 127.5, 0, 255).astype(np.uint8)
    rows = tiles.reshape(ROWS, COLUMNS, side, side).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(rows.reshape(ROWS * side, COLUMNS * side))


def encode_sheet(sheet: NDArray[np.uint8]) -> bytes:
    """Return a sheet as PNG."""
    return bytes(cv2.imencode(".png", sheet)[1].tobytes())
