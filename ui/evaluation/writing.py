"""Pages of a report: everything in one HTML file, what others wrote escaped, pictures within."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from retrieval.catalogue.errors import ArchiveError
from retrieval.catalogue.files import write_atomically
from retrieval.evaluation.measures import Estimate
from ui.told.evaluate import interval


def write_page(path: Path, template: str, **values: object) -> Path:
    """Write the template, filled with the values, to `path` and return it.

    Raises ArchiveError when it cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": _share, "interval": interval, "bar": _bar}
    page = environment.get_template(template).render(values)
    try:
        write_atomically(path.absolute(), page.encode())
    except OSError as error:
        raise ArchiveError(
            f"The report cannot be written to {path.parent}: {error.strerror or error}."
        ) from error
    return path


def picture_uri(image: NDArray[np.uint8], side: int) -> str:
    """Return a picture, (H, W, 3) RGB, as a data URI, its longest side `side` pixels at most."""
    scale = min(1.0, side / max(image.shape[:2]))
    if scale < 1:
        height, width = (max(1, round(length * scale)) for length in image.shape[:2])
        image = np.asarray(
            cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
    done, content = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])
    assert done, "a WebP of an array in memory"
    return f"data:image/webp;base64,{base64.b64encode(content.tobytes()).decode()}"


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.3f}"


def _bar(estimate: Estimate) -> dict[str, Any]:
    """Return where an estimate and its interval lie on a bar of 100."""
    return {
        "low": round(estimate.low * 100, 2),
        "at": round(estimate.value * 100, 2),
        "long": round(max(estimate.high - estimate.low, 0.004) * 100, 2),
    }
