"""All formats: what each is called, how it is written, and how a file tells which it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.annotations.annotation import AnnotatedImage, Understood
from ingest.annotations.bibtex import write_bibtex
from ingest.annotations.coco import read_coco, write_coco
from ingest.annotations.iiif import write_manifest
from ingest.annotations.marks_csv import (
    COLUMNS,
    FULL_COLUMNS,
    NEEDED,
    read_marks_csv,
    write_mark_list,
    write_marks_csv,
)
from ingest.annotations.page_xml import read_page_xml, write_page_xml
from ingest.annotations.table import rows_by_column
from ingest.annotations.via import read_via, read_via_csv, write_via, write_via_csv
from ingest.annotations.web_annotation import read_web_annotations, write_web_annotations
from ingest.plain_json import mapped, parse_json
from retrieval.catalogue.errors import MetadataError, RequestError
from retrieval.catalogue.metadata import decode_text, read_metadata


@dataclass(frozen=True)
class Format:
    """How marks are written: the function, the ending of a file, one file an image or for all.

    `write` goes through the images once, and gives the text part by part.
    `by_page`: whether a file an image may be asked for where it is not the only way.
    `columns` are those of a table of marks, which can be written without all of them at hand.
    `comes_back`: whether `annotate import` reads it. `write_at` of a format with addresses is told
    where they begin.
    """

    write: Callable[[Iterable[AnnotatedImage]], Iterator[str]]
    suffix: str
    a_file_an_image: bool = False
    columns: Sequence[str] = ()
    comes_back: bool = True
    by_page: bool = True
    write_at: Callable[[Iterable[AnnotatedImage], str], Iterator[str]] | None = None

    def text(self, images: Iterable[AnnotatedImage]) -> str:
        """Return images and marks as the format writes them, in one piece."""
        return "".join(self.write(images))

    def at(self, base: str) -> Format:
        """Return the format as it is where addresses of our own begin with `base`.

        Raises RequestError where that is not a URL to begin with.
        """
        if not re.fullmatch(r"https?://[^\s#?\"<>]+", base):
            raise RequestError(f"{base!r} is not a URL: write --base https://example.org/marks/")
        write_at, beginning = self.write_at, base if base.endswith("/") else f"{base}/"
        if write_at is None:
            return self
        return replace(self, write=lambda images: write_at(images, beginning))


#: What `annotate export` writes and `annotate import` reads: nothing of a mark is lost.
ANNOTATION_FORMATS: Mapping[str, Format] = {
    "webannotation": Format(write_web_annotations, ".json", write_at=write_web_annotations),
    "iiif": Format(write_manifest, ".json", write_at=write_manifest),
    "page-xml": Format(write_page_xml, ".xml", a_file_an_image=True),
    "coco": Format(write_coco, ".json"),
    "via": Format(write_via, ".json"),
    "via-csv": Format(write_via_csv, ".csv"),
    "csv": Format(write_marks_csv, ".csv", columns=FULL_COLUMNS),
}

#: What `export` writes: the same, but for the shorter CSV, and formats without annotations.
EXPORT_FORMATS: Mapping[str, Format] = {
    **ANNOTATION_FORMATS,
    "csv": Format(write_mark_list, ".csv", columns=COLUMNS),
    "bibtex": Format(write_bibtex, ".bib", comes_back=False, by_page=False),
}


@dataclass(frozen=True)
class AnnotationsFile:
    """A file that was read: its name, its format, and what it says."""

    name: str
    format: str
    said: Understood


def read_annotations(path: Path) -> AnnotationsFile:
    """Read a file of annotations in any of `ANNOTATION_FORMATS`; which, its content says.

    Raises MetadataError for a file that cannot be read, is too large, is of no format that is
    known here, or breaks its format's rules. What is wrong with single regions is in the result.
    """
    found, said = understand(read_metadata(path), path.name)
    return AnnotationsFile(path.name, found, said)


def understand(content: bytes, name: str) -> tuple[str, Understood]:
    """Return the format of a file's content, and what it says. Raises as `read_annotations`."""
    head = content[:1000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if head.startswith(b"<"):
        return "page-xml", read_page_xml(content, name)
    text = decode_text(content, name)
    if head.startswith((b"{", b"[")):
        return _understand_json(text, name)
    columns, rows = rows_by_column(text, name)
    if {"filename", "region_shape_attributes"} <= set(columns):
        return "via-csv", read_via_csv(rows, name)
    if set(NEEDED) <= set(columns):
        return "csv", read_marks_csv(rows, name)
    raise MetadataError(
        f"{name} is not in a known format ({', '.join(ANNOTATION_FORMATS)}): it is neither XML "
        f"nor JSON, and as CSV it would need the columns {', '.join(NEEDED)}."
    )


def _understand_json(text: str, name: str) -> tuple[str, Understood]:
    value = parse_json(text, name)
    said = mapped(value)
    if "_via_img_metadata" in said or (
        said and all("filename" in mapped(one) and "regions" in one for one in said.values())
    ):
        return "via", read_via(said, name)
    if isinstance(said.get("images"), list) and "annotations" in said:
        return "coco", read_coco(said, name)
    kind = "iiif" if said.get("type") in ("Manifest", "Canvas") else "webannotation"
    return kind, read_web_annotations(value, name)
