from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.catalogue import metadata
from retrieval.catalogue.errors import MetadataError
from retrieval.catalogue.metadata import read_metadata


def test_a_file_is_read_up_to_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "MAX_BYTES", 4)
    path = tmp_path / "labels.csv"
    path.write_bytes(b"four")
    assert read_metadata(path) == b"four"
    path.write_bytes(b"five!")
    with pytest.raises(MetadataError, match="larger than 4 bytes: split it"):
        read_metadata(path)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="cannot be read: Is a directory"):
        read_metadata(tmp_path)
