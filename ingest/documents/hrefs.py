"""Addresses of images in XML: the paths that the pages may have here."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_IMAGE = re.compile(r"\.(?:tiff?|jpe?g|jpe|png|jp2|jpx|j2k|pdf|bmp|gif|webp)$", re.IGNORECASE)
#: The end of an address by the IIIF Image API: what it is of stands before.
_IIIF = re.compile(r"/[^/]+/[^/]+/!?[0-9.]+/(?:default|native|color|gray|bitonal)\.[a-z0-9]+$")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # at least two letters: D:\scans is not a scheme


def is_image_name(text: str) -> bool:
    """Return whether a text ends as the name of an image file does."""
    return _IMAGE.search(text.strip()) is not None


def page_names(href: str) -> tuple[str, ...]:
    """Return the paths that a page with this address may have here, the likeliest first.

    Of an address on the web only one that ends in an image's name is a page's: () for others.
    """
    href = href.strip()
    if not _SCHEME.match(href):
        return tuple(dict.fromkeys(name for name in (href, unquote(href)) if name))
    try:
        address = urlsplit(href)
    except ValueError:  # such as an IPv6 host without its bracket
        return ()
    path = unquote(_IIIF.sub("", address.path)).strip("/")
    if address.scheme != "file" and not is_image_name(path):
        return ()
    return (path,) if path else ()
