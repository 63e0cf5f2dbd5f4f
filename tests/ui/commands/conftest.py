from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.catalogue.archive import create_archive
from tests.ingest.scans import pages_of, scan


@pytest.fixture(scope="module")
def two_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two pages with three marks."""
    folder = tmp_path_factory.mktemp("annotating")
    scan(folder / "scans/1.png", (0, 0), (1, 1))
    scan(folder / "scans/2.png", (2, 2))
    archive = create_archive(folder / "archive")
    pages_of(archive, folder / "scans")
    archive.close()
    return folder / "archive"
