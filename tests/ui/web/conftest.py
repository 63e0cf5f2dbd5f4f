"""The archive that the tests of the web page look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.catalogue.archive import Archive
from tests.paper_archive import Papers, make_papers


@pytest.fixture
def papers(archive: Archive, tmp_path: Path) -> Papers:
    return make_papers(archive, tmp_path / "scans")
