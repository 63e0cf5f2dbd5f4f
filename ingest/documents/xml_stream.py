"""XML from strangers, read element by element: bounded, and nothing outside the file is touched.

The standard library's expat is used as it is: defusedxml's last release is of March 2021 (0.8 never
got beyond a candidate of 2023), and all it does, a few handlers of expat do. Refused are entities
that a file declares (bombs, and files of this machine), more than MAX_DEPTH levels, a tag or
comment longer than MAX_TOKEN (older expats take quadratic time over it), and more than MAX_HELD
that a reader cannot let go of. A DOCTYPE is allowed, for EAD 2002 has one; the DTD it names is
never fetched. In its place HTML's names of characters are known, such as &eacute;.
"""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.metadata import metadata_chunks

MAX_DEPTH = 100
#: Bytes of one tag or comment.
MAX_TOKEN = 1024 * 1024
#: What is held of a file at a time: characters, and for each element as many as it takes itself.
MAX_HELD = 64 * 1024 * 1024
_ELEMENT_TAKES = 256

#: The ISO sets of EAD's DTD are all among HTML's.
_ENTITIES = "".join(
    f'<!ENTITY {name[:-1]} "{"".join(f"&#{ord(sign)};" for sign in signs)}">'
    for name, signs in html.entities.html5.items()
    if name.endswith(";") and name.casefold() not in {"amp;", "lt;", "gt;", "quot;", "apos;"}
).encode()
#: Elements that are part of a sentence; others are set off by a space.
_INLINE = {
    *("abbr", "corpname", "date", "emph", "expan", "extptr", "extref", "famname", "foreign"),
    *("genreform", "geogname", "name", "num", "persname", "ptr", "quote", "ref", "subject"),
    *("title", "unitdate"),
}


class Element:
    """An element: its local name, attributes by local name, and what is in it, in order."""

    __slots__ = ("attributes", "content", "line", "name", "parent", "size")

    def __init__(
        self, name: str, attributes: dict[str, str], line: int, parent: Element | None
    ) -> None:
        self.name = name
        self.attributes = attributes
        self.line = line
        self.parent = parent
        self.content: list[Element | str] = []
        self.size = 0

    def get(self, *attributes: str) -> str:
        """Return the first of these attributes that is not empty, without spaces around it."""
        return next((v for a in attributes if (v := self.attributes.get(a, "").strip())), "")

    def children(self, *names: str) -> list[Element]:
        """Return the elements in this one, those of these names if any are given."""
        return [
            one
            for one in self.content
            if isinstance(one, Element) and (not names or one.name in names)
        ]

    def descendants(self, *names: str) -> Iterator[Element]:
        """Give the elements of these names below this one, in the order of the file."""
        for child in self.children():
            if child.name in names:
                yield child
            yield from child.descendants(*names)

    def text(self, without: frozenset[str] = frozenset()) -> str:
        """Return the text in the element on one line, leaving out elements of some names."""
        return " ".join("".join(self._pieces(without)).split())

    def _pieces(self, without: frozenset[str]) -> Iterator[str]:
        for one in self.content:
            if isinstance(one, str):
                yield one
            elif one.name not in without:
                space = "" if one.name in _INLINE else " "
                yield space
                yield from one._pieces(without)
                yield space


def is_xml(path: Path) -> bool:
    """Return whether a file begins as XML does, in whatever encoding."""
    head = next(metadata_chunks(path), b"")[:64]
    head = re.sub(rb"^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)", b"", head).replace(b"\0", b"")
    return head.lstrip().startswith(b"<")


def read_elements(path: Path) -> Iterator[tuple[bool, Element]]:
    """Give (True, element) where an element begins and (False, element) where it has ended.

    An element keeps what is in it until `let_go` of it. Raises MetadataError, which names the
    file and line, for XML that is not well-formed or exceeds a limit.
    """
    stream = _Stream(path.name)
    fed = 0
    for chunk in metadata_chunks(path):
        fed += len(chunk)
        yield from stream.feed(chunk, fed)
    yield from stream.feed(b"", fed, last=True)


def let_go(element: Element) -> None:
    """Take an element that has ended, and all before it, out of its parent.

    So a long file is never held whole.
    """
    if element.parent is not None:
        content = element.parent.content
        del content[: content.index(element) + 1]  # near the front: what was before it has gone
        element.parent = None


class _Stream:
    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[Element] = []
        self._events: list[tuple[bool, Element]] = []
        self._held = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.specified_attributes = True  # a DTD's own could make much of little
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._unknown
        parser.ExternalEntityRefHandler = self._external
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE)
        self._parser = parser

    def feed(self, chunk: bytes, fed: int, *, last: bool = False) -> Iterator[tuple[bool, Element]]:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            raise MetadataError(
                f"{self._name}, line {error.lineno}: it is not well-formed XML: {said}."
            ) from None
        except (LookupError, ValueError) as error:  # of the encoding that it says it is in
            raise self._refusal(f"its encoding cannot be read: {error}.") from None
        if fed - max(self._parser.CurrentByteIndex, 0) > MAX_TOKEN + len(chunk):
            raise self._refusal(f"a tag or comment is longer than {MAX_TOKEN:,} bytes.")
        events, self._events = self._events, []
        for began, element in events:
            if began:
                yield True, element
                continue
            parent = element.parent
            yield False, element
            if element.parent is None:  # it was let go of, or is the root
                self._held -= element.size
            elif parent is not None:
                parent.size += element.size

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise self._refusal(f"elements are nested more than {MAX_DEPTH} deep.")
        local = {key.rpartition(" ")[2]: value for key, value in attributes.items() if " " in key}
        local |= {key: value for key, value in attributes.items() if " " not in key}
        parent = self._open[-1] if self._open else None
        element = Element(name.rpartition(" ")[2], local, self._parser.CurrentLineNumber, parent)
        if parent is not None:
            parent.content.append(element)
        self._open.append(element)
        self._take(element, _ELEMENT_TAKES + sum(map(len, attributes.values())))
        self._events.append((True, element))

    def _end(self, _name: str) -> None:
        self._events.append((False, self._open.pop()))

    def _characters(self, text: str) -> None:
        if text.isspace():
            text = " "
        self._open[-1].content.append(text)
        self._take(self._open[-1], len(text))

    def _take(self, element: Element, size: int) -> None:
        element.size += size
        self._held += size
        if self._held > MAX_HELD:
            raise self._refusal("one part of it is too large to read. It may be damaged.")

    def _entity(self, name: str, *_: Any) -> None:
        raise self._refusal(
            f"it declares an entity ({name}), which is not allowed. Save it with its entities "
            "written out."
        )

    def _unknown(self, name: str, is_parameter: bool) -> None:
        if not is_parameter:
            raise self._refusal(f"the entity &{name}; is not known. Write the character itself.")

    def _external(self, context: str, *_: Any) -> int:
        """Read HTML's characters instead of the DTD: of other entities none can be declared."""
        known = self._parser.ExternalEntityParserCreate(context)
        known.EntityDeclHandler = None
        known.Parse(_ENTITIES, True)
        return 1

    def _refusal(self, said: str) -> MetadataError:
        return MetadataError(f"{self._name}, line {self._parser.CurrentLineNumber}: {said}")
