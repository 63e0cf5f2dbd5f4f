from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tests.ingest.iiif_server import canvas_2, canvas_3, manifest_2, manifest_3
from ui.cli import app


def test_a_manifest_that_gives_no_image_is_said(tmp_path: Path) -> None:
    sound = canvas_3("https://x/c/1", "Side A", {"id": "https://x/a.mp3", "type": "Sound"})
    blank = canvas_2("https://x/c/2", "Side B", "") | {"images": []}
    (tmp_path / "tape.json").write_text(json.dumps(manifest_3("https://x/tape", [sound])))
    (tmp_path / "blank.json").write_text(json.dumps(manifest_2("https://x/blank", [blank])))
    command = ["ingest", str(tmp_path / "archive")]
    command += [str(tmp_path / "tape.json"), str(tmp_path / "blank.json")]
    canvases = "2 canvases have no image that is understood and {} passed over."
    manifests = [
        f"{one} gives no image that is understood. Look at it in a viewer: if it has any, download "
        "them and ingest the files."
        for one in ("https://x/tape", "https://x/blank")
    ]
    rehearsed = CliRunner().invoke(app, [*command, "--dry-run"])
    assert rehearsed.exit_code == 0
    assert rehearsed.stdout.splitlines()[1:-1] == [canvases.format("would be"), *manifests]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert canvases.format("were") in done.stdout.splitlines()
    assert done.stdout.splitlines()[-2:] == manifests
    told = CliRunner().invoke(app, [*command, "--json"])
    assert told.exit_code == 1
    said = json.loads(told.stdout)
    assert said["skipped"] == 0
    assert said["canvases_without_image"] == 2
    assert said["manifests_without_image"] == ["https://x/tape", "https://x/blank"]
