"""Files of metadata that people write: read whole, but never without a bound."""

from __future__ import annotations

from pathlib import Path

from retrieval.catalogue.errors import MetadataError

#: Bytes of a file of documents or labels that are read at most.
MAX_BYTES = 256 * 1024 * 1024


def read_metadata(path: Path) -> bytes:
    """Return the content of a file; MetadataError where it cannot be read or is over MAX_BYTES."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise MetadataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_BYTES:
        raise MetadataError(f"{path} is larger than {MAX_BYTES:,} bytes: split it.")
    return content
