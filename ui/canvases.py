"""What a page's IIIF canvas says beside what its document says: nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retrieval.catalogue.canvases import CanvasRow
from ui.wording import known


def beyond(canvas: CanvasRow | None, document: Mapping[str, Any] | None) -> CanvasRow | None:
    """Return what the canvas says and the document does not; None where that is nothing.

    A label is left out if the document is called so. Attribution and rights are left out if any
    text of the document is the same, however it is spaced, or the one is the same as the other.
    """
    if canvas is None:
        return None
    about = document or {}
    names = {known(about.get(name)) for name in ("reference", "title")}
    said = set(_texts(about))
    label = None if known(canvas.label) in names else canvas.label
    attribution = None if known(canvas.attribution) in said else canvas.attribution
    rights = None if known(canvas.rights) in said | {known(attribution)} else canvas.rights
    left = CanvasRow(label, attribution, rights)
    return left if any((label, attribution, rights)) else None


def _texts(value: object) -> Iterator[str]:
    """Give every text of a document's fields and details, on one line each."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif text := known(value):
        yield text
