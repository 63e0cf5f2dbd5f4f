from __future__ import annotations

import json
from pathlib import Path

from tests.ui.running import run


def test_a_mark_whose_crop_is_gone_is_named_and_the_others_are_found(
    marks: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    assert run("ingest", archive, marks / "crops/merchant 1", "--as", "marks").exit_code == 0
    lost = min((archive / "crops").glob("*/*.png"))
    lost.unlink()
    done = run("index", archive)
    assert done.exit_code == 1, done.output
    assert "3 marks are searchable" in done.stdout
    assert "1 mark could not be embedded; the next run tries again:" in done.stdout
    assert f"The crop {lost} cannot be read" in done.stdout
    again = run("index", archive, "--json")
    assert again.exit_code == 1
    (unread,) = json.loads(again.stdout)["unread"]
    assert str(lost) in unread
    assert "not indexed 1" in run("status", archive).stdout
    found = run("search", archive, marks / "crops/merchant 1/01.png", "--json")
    assert found.exit_code == 0
    assert len(json.loads(found.stdout)["results"]) == 3
