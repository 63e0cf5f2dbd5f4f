"""A page with a box on it, and what is understood of a file's content."""

from __future__ import annotations

import json
from typing import Any

from ingest.annotations.annotation import AnnotatedImage, Annotation, Understood
from ingest.annotations.formats import understand

A_BOX = Annotation((10, 20, 30, 40), status="confirmed", mark=7)
PAGE = AnnotatedImage(("a/b.png",), (A_BOX,), 0, 500, 400, "0" * 64, page=1)


def said_by(content: str | bytes | dict[str, Any] | list[Any]) -> Understood:
    if isinstance(content, dict | list):
        content = json.dumps(content)
    return understand(content.encode() if isinstance(content, str) else content, "x")[1]


def all_said(said: Understood) -> list[Annotation]:
    return [one for image in said.images for one in image.annotations]


def only(content: str | bytes | dict[str, Any] | list[Any]) -> Annotation:
    (one,) = all_said(said_by(content))
    return one


def annotation(target: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Annotation", "id": "https://elsewhere.org/1", "target": target, **more}
