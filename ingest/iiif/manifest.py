"""Manifests of the IIIF Presentation API, versions 2 and 3: a document, its canvases, their images.

Sources: https://iiif.io/api/presentation/2.1/ and https://iiif.io/api/presentation/3.0/
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from ingest.documents.hrefs import is_image_name
from ingest.plain_json import listed, mapped, parse_json
from retrieval.catalogue.errors import MetadataError

#: Canvases that a manifest may hold.
MAX_CANVASES = 100_000

#: Manifests that are named to who gave a collection of them.
_NAMED = 5

#: Advice for what is not a manifest, and for a manifest that cannot be used.
_GIVE_MANIFEST = "Give the address of a manifest of the Presentation API 2 or 3."
_NOT_ITS_PAGE = "Give the address of a IIIF manifest, not of the page that shows it."
_FILES_INSTEAD = "Tell its publisher, or download the images and ingest the files."

#: Choices and regions that may lie in one another around an image.
_DEPTH = 8

#: No text: characters that no database or no person wants, and halves of characters.
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+")

#: Types of what is an image, as `_kinds` gives them.
_IMAGES = frozenset({"image", "stillimage"})


@dataclass(frozen=True)
class Entry:
    """A line of metadata: its label, its values in the preferred language, and all others."""

    labels: tuple[str, ...]
    values: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Painting:
    """An image on a canvas: its own address, and that of the image service that offers it."""

    image: str | None
    service: str | None


@dataclass(frozen=True)
class Canvas:
    """A page as the manifest has it; sizes in the canvas's own units. Blank without paintings."""

    id: str
    label: str | None
    width: int | None
    height: int | None
    paintings: tuple[Painting, ...]


@dataclass(frozen=True)
class Manifest:
    """A document as the manifest describes it, its canvases in their order."""

    id: str
    label: str | None
    summary: str | None
    metadata: tuple[Entry, ...]
    attribution: str | None
    rights: str | None
    canvases: tuple[Canvas, ...]


def read_manifest(content: bytes, name: str) -> Manifest:
    """Read a manifest of version 2 or 3; `name` is where it came from.

    Texts lose their HTML and are on one line. Of a Choice the first image is taken, of a region
    of an image the whole. A canvas on which several images are painted has several paintings.

    Raises MetadataError for anything that is not a manifest, and for a collection, naming its
    manifests.
    """
    try:
        document = parse_json(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        raise MetadataError(f"{name} is not JSON ({error}).", _NOT_ITS_PAGE) from None
    except MetadataError as error:
        raise MetadataError(error.reason, _NOT_ITS_PAGE) from None
    if not isinstance(document, dict):
        raise MetadataError(f"{name} is JSON, but not a IIIF manifest.", _GIVE_MANIFEST)
    kind = _type(document)
    if kind in ("Collection", "sc:Collection"):
        raise MetadataError(f"{name} is a IIIF collection.", _manifests_of(document))
    if kind in ("Manifest", "sc:Manifest") or "sequences" in document:
        return _manifest(document, name)
    raise MetadataError(
        f"{name} is not a IIIF manifest: its type is {kind or 'not given'!r}.", _GIVE_MANIFEST
    )


def _manifest(document: dict[str, Any], name: str) -> Manifest:
    address = _id(document)
    if address is None:
        raise MetadataError(
            f"{name} has no id, so its pages could not be recognised in a later run.",
            _FILES_INSTEAD,
        )
    second = "sequences" in document
    required = mapped(document.get("requiredStatement"))
    rights = document.get("license" if second else "rights") or document.get("rights")
    return Manifest(
        id=address,
        label=_first(document.get("label")),
        summary=_whole_text(document.get("summary") or document.get("description")),
        metadata=tuple(_entries(document.get("metadata"))),
        attribution="; ".join(_texts(required.get("value") or document.get("attribution"))) or None,
        rights="; ".join(_texts(rights)) or None,
        canvases=tuple(_canvases(document, address, name)),
    )


def _canvases(document: dict[str, Any], address: str, name: str) -> Iterator[Canvas]:
    if "sequences" in document:
        # Further sequences put the same canvases in another order.
        given = mapped(next(iter(listed(document["sequences"])), None)).get("canvases")
    else:
        given = document.get("items")
    canvases = listed(given)
    if len(canvases) > MAX_CANVASES:
        raise MetadataError(f"{name} has more than {MAX_CANVASES:,} canvases.", _FILES_INSTEAD)
    taken: set[str] = set()
    for number, canvas in enumerate(canvases, start=1):
        if not isinstance(canvas, dict):
            raise MetadataError(
                f"{name}: its canvas {number} is only named, not described.", _FILES_INSTEAD
            )
        own = _id(canvas)
        if own is None or own in taken:
            own = f"{own or address}#canvas-{number}"
        taken.add(own)
        yield Canvas(
            id=own,
            label=_first(canvas.get("label")),
            width=pixels_or_none(canvas.get("width")),
            height=pixels_or_none(canvas.get("height")),
            paintings=tuple(_paintings(canvas)),
        )


def _paintings(canvas: dict[str, Any]) -> Iterator[Painting]:
    for annotation in listed(canvas.get("images")):  # version 2
        if found := _painting(mapped(annotation).get("resource")):
            yield found
    for page in listed(canvas.get("items")):
        for annotation in map(mapped, listed(mapped(page).get("items"))):
            motivation = listed(annotation.get("motivation", "painting"))
            if {"painting", "sc:painting"}.isdisjoint(
                one for one in motivation if isinstance(one, str)
            ):
                continue
            if found := _painting(annotation.get("body")):
                yield found


def _painting(body: object, depth: int = 0) -> Painting | None:
    """Return the first image of an annotation's body, or nothing."""
    if depth > _DEPTH:
        return None
    if isinstance(body, list):
        return next((one for each in body if (one := _painting(each, depth + 1))), None)
    if isinstance(body, str):
        address = address_in(body)
        return Painting(address, None) if address and address != "rdf:nil" else None
    if not isinstance(body, dict):
        return None
    kinds = _kinds(body)
    if "choice" in kinds:
        choice = [
            *listed(body.get("default")),
            *listed(body.get("items")),
            *listed(body.get("item")),
        ]
        return _painting(choice, depth + 1)
    if "specificresource" in kinds:
        return _painting(body.get("source") or body.get("full"), depth + 1)
    image, service = _id(body), _service(body.get("service"))
    if kinds.isdisjoint(_IMAGES) and (kinds or not (service or _is_image(body))):
        return None
    return Painting(image, service) if image or service else None


def _kinds(body: dict[str, Any]) -> set[str]:
    """Return the types of a body without what stands before them: "image" for "dctypes:Image"."""
    kinds = listed(body.get("type", body.get("@type")))
    return {re.split("[:/#]", one)[-1].casefold() for one in kinds if isinstance(one, str)}


def _is_image(body: dict[str, Any]) -> bool:
    """Return whether a body without a type is an image by its format, or else by its address."""
    if isinstance(form := body.get("format"), str):
        return form.startswith("image/")
    try:
        return is_image_name(urlsplit(_id(body) or "").path)
    except ValueError:  # such as an IPv6 host without its bracket
        return False


def _service(given: object) -> str | None:
    """Return the base address of the first of the services that is a IIIF Image API."""
    for service in listed(given):
        if not isinstance(service, dict):
            continue
        said = [
            _type(service),
            *listed(service.get("profile")),
            *listed(service.get("@context")),
        ]
        of_images = any(
            isinstance(one, str)
            and (
                one.startswith(("ImageService", "iiif:Image", "level"))
                or "image-api" in one
                or "/image/" in one
            )
            for one in said
        )
        if of_images and (address := _id(service)):
            return address.removesuffix("/info.json").rstrip("/")
    return None


def _entries(metadata: object) -> Iterator[Entry]:
    for pair in listed(metadata):
        labels, value = _texts(mapped(pair).get("label")), mapped(pair).get("value")
        values = tuple(dict.fromkeys(_preferred(value)))
        if labels and values:
            others = tuple(text for text in _texts(value) if text not in values)
            yield Entry(labels, values, others)


def _first(value: object) -> str | None:
    return next(iter(_texts(value)), None)


def _whole_text(value: object) -> str | None:
    """Return the texts of the language that is preferred, one after another."""
    return " ".join(_preferred(value)) or None


def _preferred(value: object) -> list[str]:
    said = _by_language(value)
    return [text for language, text in said if language == said[0][0]]


def _texts(value: object) -> tuple[str, ...]:
    """Return the texts of a value, each once, in the order of `_by_language`."""
    return tuple(dict.fromkeys(text for _, text in _by_language(value)))


def _by_language(value: object) -> list[tuple[str, str]]:
    """Return the texts of a value with their languages: none and English first, then others.

    Version 3 maps languages to texts; version 2 has texts, or objects that name the language.
    """
    found: list[tuple[str, object]] = []
    for one in listed(value):
        if not isinstance(one, dict):
            found.append(("", one))
        elif "@value" in one:
            language = str(one.get("@language", ""))
            found += [(language, each) for each in listed(one["@value"])]
        elif isinstance(address := one.get("@id", one.get("id")), str):
            found.append(("", address))  # a licence given as an object
        else:
            found += [(language, each) for language, said in one.items() for each in listed(said)]
    found.sort(key=lambda pair: (pair[0] not in ("", "none", "@none"), pair[0][:2] != "en"))
    return [(language, text) for language, raw in found if (text := _plain(_text(raw)))]


def _text(value: object) -> str:
    """Return a text, or a number as a text; "" for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("br", "p", "li", "div", "dd", "dt"):
            self.words.append(" ")


def _plain(text: str) -> str:
    """Return the text on one line, composed (NFC), without HTML and what cannot be stored."""
    if re.search(r"<[a-zA-Z/!]|&[a-zA-Z#]", text):
        words = _Words()
        try:
            words.feed(text)
            words.close()
            text = "".join(words.words)
        except (AssertionError, ValueError):  # the parser's, for invalid markup
            text = re.sub(r"<[^>]*>", " ", text)
    return unicodedata.normalize("NFC", " ".join(_NO_TEXT.sub(" ", text).split()))


def _manifests_of(document: dict[str, Any]) -> str:
    """Say which manifests to give instead of their collection."""
    held = [*listed(document.get("manifests")), *listed(document.get("members"))]
    held += listed(document.get("items"))
    manifests = [
        address
        for one in held
        if isinstance(one, dict)
        and _type(one) in ("Manifest", "sc:Manifest", None)
        and (address := _id(one))
    ]
    if not manifests:
        return "It names no manifest: give manifests instead."
    more = f" and {len(manifests) - _NAMED:,} more" if len(manifests) > _NAMED else ""
    return f"Give the manifests that you want: {' '.join(manifests[:_NAMED])}{more}."


def pixels_or_none(value: object) -> int | None:
    """Return a number of pixels, or its digits, from 1 to a billion; None for all else."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,10}\s*", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1 <= value <= 1e9 and value == int(value) else None


def address_in(value: object) -> str | None:
    """Return an address without spaces around it; None where there is none."""
    if not isinstance(value, str):
        return None
    address = _NO_TEXT.sub("", value).strip()
    return address if address and len(address) <= 4000 else None


def _id(document: dict[str, Any]) -> str | None:
    return address_in(document.get("id", document.get("@id")))


def _type(document: dict[str, Any]) -> str | None:
    kinds = listed(document.get("type", document.get("@type")))
    return next((kind for kind in kinds if isinstance(kind, str)), None)
