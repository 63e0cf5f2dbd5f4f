"""Takes manifests in from a server that is there for the test alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ingest.iiif.fetching import Courtesy
from ingest.report import IngestReport
from ingest.sources import read_frames
from retrieval.catalogue.archive import Archive
from tests.ingest.iiif_server import Server, canvas_2, manifest_2
from tests.ingest.scans import dump, page_image, pages_of

QUICK = Courtesy(pause=0, attempts=3, first_wait=0.01, longest_wait=5, connect=5, read=5)


def take_in(archive: Archive, *sources: Path | str, **options: Any) -> IngestReport:
    return pages_of(archive, *sources, **({"courtesy": QUICK} | options))  # type: ignore[arg-type]


def put(server: Server, manifest: dict[str, Any], path: str = "/manifest.json") -> str:
    server.files[path] = json.dumps(manifest).encode()
    return server.url(path)


def page(number: int) -> np.ndarray:
    return page_image((number % 8, number % 7), size=(200, 150))


def letters(server: Server, number: int) -> str:
    """Offer a manifest of version 2 with so many canvases of one dynamic server."""
    canvases = []
    for at in range(number):
        service = server.image(f"page-{at}", page(at))
        canvases.append(
            canvas_2(
                server.url(f"/canvas/{at}"),
                f"f. {at + 1}r",
                f"{service}/full/full/0/default.jpg",
                service,
            )
        )
    address = server.url("/manifest.json")
    return put(server, manifest_2(address, canvases))


def master(archive: Archive, source: str) -> np.ndarray:
    (location,) = [one["location"] for one in dump(archive)["pages"] if one["source"] == source]
    (frame,) = read_frames(Path(location))
    return frame.image


def placeless(archive: Archive) -> dict[str, list[dict[str, Any]]]:
    """Return what the archive holds, but for where it lies and when its files were written."""
    held = dump(archive)
    for one in held["pages"]:
        one["location"] = str(Path(one["location"]).relative_to(archive.folder))
        del one["mtime_ns"]
    return held
