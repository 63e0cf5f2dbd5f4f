"""The archive that the tests of the web page look at, and the way to look at it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from retrieval.catalogue.archive import Archive
from tests.paper_archive import Papers, make_papers
from tests.ui.web.visiting import PAGE, Visit


@pytest.fixture
def papers(archive: Archive, tmp_path: Path) -> Papers:
    return make_papers(archive, tmp_path / "scans")


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Visit:
    """Open the page of an archive by an address's parameters."""

    def opened(folder: Path, *model: str, **params: str) -> AppTest:
        monkeypatch.setattr(sys, "argv", [str(PAGE), str(folder), *model])
        # Streamlit makes the page the main program: worker processes of later tests would run it.
        monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        page = AppTest.from_file(str(PAGE), default_timeout=60)
        for name, value in params.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    return opened
