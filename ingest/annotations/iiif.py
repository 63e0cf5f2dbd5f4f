"""A IIIF Presentation 3 manifest of an archive: a canvas a page, a range a document.

Each canvas carries its marks as an AnnotationPage. A page that was fetched from somebody's manifest
stays on that manifest's canvas, with its rights. https://iiif.io/api/presentation/3.0/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from ingest.annotations.annotation import AnnotatedImage
from ingest.annotations.web_annotation import (
    BASE,
    PRESENTATION_CONTEXT,
    as_web_annotation,
    canvas_id,
    canvas_size,
    file_facts,
)
from ingest.streamed_json import Stream, write_json
from retrieval.catalogue.references import sort_key

#: A document's fields, and what a viewer calls them.
_LABELS = {
    "reference": "Reference",
    "title": "Title",
    "date": "Date",
    "ship": "Ship",
    "place": "Place",
    "captain": "Captain",
}

_MEDIA_TYPES = {
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".jp2": "image/jp2",
    ".webp": "image/webp",
}


def write_manifest(images: Iterable[AnnotatedImage], base: str = BASE) -> Iterator[str]:
    """Give pages, documents and marks as one manifest, in the order of references and pages."""

    def order(image: AnnotatedImage) -> tuple[bool, str, str, int, int]:
        # Pages of no document come last.
        reference = str((image.document or {}).get("reference", ""))
        return not reference, sort_key(reference), reference, image.ordinal, image.page

    pages = sorted(images, key=order)
    documents: dict[str, list[AnnotatedImage]] = {}
    for image in pages:
        if image.document:
            documents.setdefault(image.document["reference"], []).append(image)
    manifest: dict[str, Any] = {
        "@context": PRESENTATION_CONTEXT,
        "id": f"{base}manifest.json",
        "type": "Manifest",
        "label": {"en": ["Pages and merchants' marks, from prizemarks"]},
        "items": Stream(_canvas(image, base) for image in pages),
    }
    if documents:
        manifest["structures"] = [
            {
                "id": f"{base}range/{at}",
                "type": "Range",
                "label": {"none": [reference]},
                "metadata": _metadata(of_document[0].document or {}),
                "items": [
                    {"id": canvas_id(image, base), "type": "Canvas"} for image in of_document
                ],
            }
            for at, (reference, of_document) in enumerate(documents.items(), start=1)
        ]
    return write_json(manifest)


def _canvas(image: AnnotatedImage, base: str) -> dict[str, Any]:
    canvas = canvas_id(image, base)
    width, height = canvas_size(image)
    return {
        "id": canvas,
        "type": "Canvas",
        "label": {"none": [image.source]},
        "width": width,
        "height": height,
        **_rights(image),
        **file_facts(image),
        "items": [
            {
                "id": f"{base}page/{image.page}/image",
                "type": "AnnotationPage",
                "items": [
                    {
                        "id": f"{base}page/{image.page}/painting",
                        "type": "Annotation",
                        "motivation": "painting",
                        "body": _picture(image, base),
                        "target": canvas,
                    }
                ],
            }
        ],
        "annotations": [
            {
                "id": f"{base}page/{image.page}/marks",
                "type": "AnnotationPage",
                "items": [as_web_annotation(one, image, canvas, base) for one in image.annotations],
            }
        ],
    }


def _picture(image: AnnotatedImage, base: str) -> dict[str, Any]:
    """Return a page's image, where it was fetched from, else where it may be published.

    Paths of this machine say more of it than a reader of the manifest should know.
    """
    canvas = None if image.frame else image.canvas  # its address gives a file's first image
    service = canvas and canvas.service
    fetched = canvas and (canvas.image or (service and f"{service}/full/max/0/default.jpg"))
    ours = canvas_id(replace(image, canvas=None), base)
    picture: dict[str, Any] = {
        "id": fetched or ours.replace(f"{base}canvas/", f"{base}image/", 1),
        "type": "Image",
        "format": _MEDIA_TYPES.get(PurePath(fetched or image.source).suffix.lower(), "image/jpeg"),
        "width": image.width,
        "height": image.height,
    }
    if service:  # the least that all versions and levels have: its info.json says the rest
        picture["service"] = [{"id": service, "type": "ImageService2", "profile": "level0"}]
    return picture


def _rights(image: AnnotatedImage) -> dict[str, Any]:
    """Return what the manifest that the image came from asks of those who show it."""
    said: dict[str, Any] = {}
    if image.canvas and image.canvas.rights and image.canvas.rights.startswith("http"):
        said["rights"] = image.canvas.rights
    if image.canvas and image.canvas.attribution:
        said["requiredStatement"] = {
            "label": {"en": ["Attribution"]},
            "value": {"none": [image.canvas.attribution]},
        }
    return said


def _metadata(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"label": {"en": [label]}, "value": {"none": [str(document[key])]}}
        for key, label in _LABELS.items()
        if document.get(key)
    ]
