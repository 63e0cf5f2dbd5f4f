from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select, update

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.tables import Mark
from tests.paper_archive import make_papers
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
    assert "1 mark could not be embedded; the next run will try again:" in done.stdout
    assert f"The crop {lost} cannot be read" in done.stdout
    again = run("index", archive, "--json")
    assert again.exit_code == 1
    (unread,) = json.loads(again.stdout)["unread"]
    assert str(lost) in unread
    assert "not indexed 1" in run("status", archive).stdout
    found = run("search", archive, marks / "crops/merchant 1/01.png", "--json")
    assert found.exit_code == 0
    assert len(json.loads(found.stdout)["results"]) == 3


def test_a_model_that_is_indexed_to_be_compared_leaves_the_proposals_in_their_order(
    archive: Archive, tmp_path: Path
) -> None:
    papers = make_papers(archive, tmp_path / "scans")
    with archive.session() as session:
        confirmed = [mark for page in papers.marks for mark in page[:2]]
        session.execute(update(Mark).where(Mark.id.in_(confirmed)).values(status="confirmed"))
    done = run("index", archive.folder)
    assert "Proposals are also ranked by how much they look like the 6 confirmed" in done.stdout
    with archive.session() as session:
        before = session.execute(select(Mark.id, Mark.realism)).all()
    other = run("index", archive.folder, "--model", "bundled")
    assert other.exit_code == 0 and "ranked" not in other.stdout
    with archive.session() as session:
        assert session.execute(select(Mark.id, Mark.realism)).all() == before
    again = run("index", archive.folder, "--json")
    assert json.loads(again.stdout)["ranked_by"] == 6
