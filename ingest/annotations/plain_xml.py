"""XML without a document type: no entities, nothing fetched, bounded in depth and number.

What can be made of XML against its reader (expansion of entities, external entities, external
DTDs) needs a DOCTYPE. None of the formats has one, so that a file with one is refused before any
declaration in it is read. This is what defusedxml does with `forbid_dtd`; its last release is of
2021, and the standard library's expat needs a handler of two lines for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from retrieval.catalogue.errors import MetadataError

MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000


@dataclass
class Element:
    """An element: its name without a prefix, its namespace, attributes and children, no text."""

    name: str
    namespace: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """Give the element and all below it, in the order of the file."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


def parse_xml(content: bytes | str, name: str) -> Element:
    """Return the root element of XML; MetadataError names the file `name` and what is wrong."""
    top: list[Element] = []
    open_elements: list[Element] = []
    count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS:
            raise MetadataError(f"{name} has more than {MAX_ELEMENTS:,} elements: split it.")
        if len(open_elements) >= MAX_DEPTH:
            raise MetadataError(f"{name} has elements more than {MAX_DEPTH} deep.")
        namespace, _, local = tag.rpartition(" ")
        element = Element(local, namespace, attributes)
        (open_elements[-1].children if open_elements else top).append(element)
        open_elements.append(element)

    def end(_tag: str) -> None:
        open_elements.pop()

    def refuse(*_of_doctype: object) -> None:
        raise MetadataError(
            f"{name} has a DOCTYPE, which may include other files: remove that line."
        )

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise MetadataError(
            f"{name} is not XML: {expat.ErrorString(error.code)} in line {error.lineno}."
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that Python has not, or half has
        raise MetadataError(f"{name} is in an unsupported encoding: save it as UTF-8.") from (error)
    return top[0]


def without_control(text: str) -> str:
    """Return text that XML can hold: characters that it forbids become U+FFFD."""
    return "".join(char if _allowed(ord(char)) else "�" for char in text)


def _allowed(code: int) -> bool:
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or code >= 0x10000
    )
