from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.catalogue.archive import Archive
from tests.ingest.annotations.five_pages import make_scans
from tests.ingest.scans import pages_of


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    return make_scans(tmp_path / "in")


@pytest.fixture
def filled(archive: Archive, scans: Path) -> Archive:
    pages_of(archive, scans)
    return archive
