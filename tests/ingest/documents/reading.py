"""Documents files as a test writes them."""

from __future__ import annotations

from pathlib import Path

from ingest.documents.reading import read_documents
from ingest.documents.record import DocumentsFile


def read(folder: Path, content: str | bytes, name: str = "documents.csv") -> DocumentsFile:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_documents(path)
