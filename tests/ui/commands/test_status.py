from __future__ import annotations

import json
import shutil
from pathlib import Path

from retrieval.catalogue.archive import Archive
from retrieval.gan.architecture import Architecture
from retrieval.gan.settings import Settings
from retrieval.learn import train_on_archive
from retrieval.model import bundled_model
from tests.paper_archive import make_papers
from tests.ui.running import run


def test_status_says_what_is_in(pages: Path) -> None:
    told = run("status", pages / "archive")
    assert told.exit_code == 0
    assert "pages       3 (0 without a document" in told.stdout
    counted = json.loads(run("status", pages / "archive", "--json").stdout)
    assert counted["counts"]["pages"] == 3
    assert counted["not_indexed"] == 0


def test_a_lost_model_is_named_and_what_still_works(archive: Archive, tmp_path: Path) -> None:
    make_papers(archive, tmp_path / "scans")
    (lost,) = archive.models_folder.iterdir()
    lost.rename(tmp_path / "elsewhere")
    told = run("status", archive.folder)
    assert told.exit_code == 0
    lines = told.stdout.splitlines()
    assert "  model       none" in lines and "  not indexed 12" in lines
    (said,) = [line for line in lines if line.startswith(f"There is no model in {lost}: ")]
    assert said.endswith("Train again, or restore the folder from a backup.")
    search = f"prizemarks search {archive.folder} IMAGE --model bundled"
    assert f"To search with another model meanwhile: {search}" in lines
    index = f"prizemarks index {archive.folder} --model bundled"
    assert lines[-1] == f"Next: {index}"
    found = json.loads(run("status", archive.folder, "--json").stdout)
    assert (found["model"], found["model_problem"]) == (None, said)
    assert found["model_at_hand"] == bundled_model().id
    assert (found["search_command"], found["index_command"]) == (search, index)
    assert run(*index.split()[1:]).exit_code == 0
    told = run("status", archive.folder).stdout
    assert said in told and "not indexed 0" in told and "Next:" not in told


def test_a_lost_model_that_was_not_indexed_yet_keeps_nobody_waiting(
    archive: Archive, tmp_path: Path
) -> None:
    make_papers(archive, tmp_path / "scans")
    (indexed,) = archive.models_folder.iterdir()
    tiny = Settings(Architecture("dcgan", size=32, width=8), steps=1, batch=4, identities=4)
    newest = train_on_archive(archive, tiny).model.id
    shutil.rmtree(archive.models_folder / newest)
    told = run("status", archive.folder).stdout
    assert f"  model       {indexed.name}" in told
    assert f"There is no model in {archive.models_folder / newest}: " in told
    assert "not indexed yet" not in told and "meanwhile" not in told
