"""What a browser would fetch for a report: nothing, for its pictures are in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def pictures_where_nothing_is_fetched(text: str) -> int:
    """Check that a page's pictures are in it, and that nothing runs on it; return how many."""
    elements = _Elements()
    elements.feed(text)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in elements.found}
    addresses = [
        value
        for _, attributes in elements.found
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset")
    ]
    assert all(address and address.startswith("data:image/") for address in addresses)
    assert not re.search(r"url\(|@import|https?://", text)
    assert "default-src 'none'" in text
    return len(addresses)
