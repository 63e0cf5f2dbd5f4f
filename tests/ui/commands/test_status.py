from __future__ import annotations

import json
from pathlib import Path

from tests.ui.running import run


def test_status_says_what_is_in(pages: Path) -> None:
    told = run("status", pages / "archive")
    assert told.exit_code == 0
    assert "pages       3 (0 without a document" in told.stdout
    counted = json.loads(run("status", pages / "archive", "--json").stdout)
    assert counted["counts"]["pages"] == 3
    assert counted["not_indexed"] == 0
