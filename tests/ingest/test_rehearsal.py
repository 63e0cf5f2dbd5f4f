from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tifffile
from typer.testing import CliRunner

from ingest.documents.binding import AssignedPage
from ingest.manner import Manner
from ingest.rehearsal import rehearse
from retrieval.catalogue import migration
from retrieval.catalogue.archive import (
    Archive,
    archive_as_it_stands,
    create_archive,
    open_archive,
)
from retrieval.catalogue.errors import ArchiveError
from tests.ingest.scans import dump, page_image, pages_of, scan
from ui.cli import app


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def mixed(archive: Archive, tmp_path: Path) -> Path:
    """A source of which an archive has a part, and everything that can be the matter with it."""
    source = tmp_path / "in"
    for number in range(5):
        scan(source / f"{number}.png", (number, 1))
    (source / "bad.png").write_bytes(b"junk")
    pages_of(archive, source)
    scan(source / "1.png", (3, 3))
    (source / "2.png").rename(source / "moved.png")
    scan(source / "new.png", (0, 3))
    shutil.copy(source / "0.png", source / "copy.png")
    shutil.copy(source / "new.png", source / "new again.png")
    (source / "junk.jpg").write_bytes(b"GIF89a")
    (source / "notes.txt").write_text("no image")
    return source


def test_what_is_said_is_what_is_done(archive: Archive, tmp_path: Path, mixed: Path) -> None:
    (tmp_path / "d.csv").write_text("reference,source\nHCA 1/1,new.png\nHCA 1/2,gone.png\n")
    archive.close()
    before = snapshot(archive.folder)
    with archive_as_it_stands(archive.folder) as looked_at:
        said = rehearse(looked_at, [mixed], Manner(documents=[tmp_path / "d.csv"]))
    assert snapshot(archive.folder) == before
    assert (said.documents, said.would_bind, len(said.problems)) == (2, 1, 1)
    assert said.changed == ("1.png",)
    assert set(said.copies) == {"copy.png", "new.png"}  # of the two new ones, the second in order
    assert [one.source for one in said.unreadable] == ["bad.png", "junk.jpg"]
    assert "GIF" in said.unreadable[1].reason
    done = pages_of(archive, mixed, documents=[tmp_path / "d.csv"])
    assert said.new == done.added
    assert len(said.copies) == done.duplicates
    assert len(said.changed) == done.changed
    assert (said.moved, said.unchanged) == (done.moved, done.unchanged)
    assert len(said.unreadable) + said.left == done.failed
    assert said.skipped == done.skipped


def test_a_second_volume_is_said_to_have_its_own_pages(archive: Archive, tmp_path: Path) -> None:
    for number in (1, 2):
        scan(tmp_path / f"vol{number}" / "1.png", (number, 1))
        (tmp_path / f"v{number}.csv").write_text(f"reference,source\nHCA 32/{number},1.png\n")
    pages_of(archive, tmp_path / "vol1", documents=[tmp_path / "v1.csv"])
    both = [tmp_path / "v1.csv", tmp_path / "v2.csv"]
    said = rehearse(archive, [tmp_path / "vol2"], Manner(documents=both[1:]))
    assert (said.would_bind, said.problems) == (1, ())
    (tmp_path / "vol2" / "1.png").write_bytes(b"junk")
    said = rehearse(archive, [tmp_path / "vol2"], Manner(documents=both[1:]))
    assert said.would_bind == 0
    assert said.problems == ("v2.csv, line 2: no page '1.png' has been ingested.",)


def test_pages_that_have_moved_are_bound_by_their_new_names(
    archive: Archive, tmp_path: Path
) -> None:
    for number in (1, 2):
        scan(tmp_path / "in" / f"{number}.png", (number, 1))
    pages_of(archive, tmp_path / "in")
    (tmp_path / "in" / "1.png").rename(tmp_path / "in" / "folio1.png")
    described = [tmp_path / "d.csv"]
    described[0].write_text("reference,source\nHCA 1/1,folio1.png\nHCA 1/2,1.png\n")
    problems = ("d.csv, line 3: no page '1.png' has been ingested.",)
    said = rehearse(archive, [tmp_path / "in"], Manner(documents=described))
    assert (said.moved, said.would_bind, said.problems) == (1, 1, problems)
    done = pages_of(archive, tmp_path / "in", documents=described)
    assert (done.moved, done.bound, done.problems) == (1, 1, problems)


def test_which_pages_would_get_which_document(archive: Archive, tmp_path: Path) -> None:
    for number in range(1, 5):
        scan(tmp_path / "in" / f"{number}.png", (number % 4, 1))
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text("reference,source\nHCA 1/1,1.png\nHCA 1/2,2.png\n")
    pages_of(archive, tmp_path / "in", documents=[before])
    after.write_text("reference,source\nHCA 1/1,1.png\nHCA 1/9,2.png\nHCA 1/9,three.png\n")
    manner = Manner(documents=[after])
    with archive_as_it_stands(archive.folder) as looked_at:
        assert rehearse(looked_at, [], manner).assigned == (
            AssignedPage("2.png", 0, "HCA 1/2", "HCA 1/9"),
        )
        (tmp_path / "in" / "3.png").rename(tmp_path / "in" / "three.png")
        said = rehearse(looked_at, [tmp_path / "in"], manner)
    assert said.assigned == (
        AssignedPage("2.png", 0, "HCA 1/2", "HCA 1/9"),
        AssignedPage("three.png", 0, None, "HCA 1/9"),
    )
    done = pages_of(archive, tmp_path / "in", documents=[after])
    assert done.bound == len(said.assigned)
    assert rehearse(archive, [], manner).assigned == ()


def test_an_image_that_a_file_has_not_is_named(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with tifffile.TiffWriter(tmp_path / "in/vol.tif") as writer:
        for column in (0, 4):
            writer.write(page_image((column, 0)), photometric="rgb")
    pages_of(archive, tmp_path / "in")
    table = tmp_path / "documents.csv"
    table.write_text("reference,source,page in file\nA,vol.tif,2\nB,vol.tif,9\n")
    said = rehearse(archive, [], Manner(documents=[table]))
    assert said.problems == (
        "documents.csv, line 3: the archive has no page 9 of 'vol.tif', but 2 in all.",
    )
    assert said.would_bind == 1
    scan(tmp_path / "in/vol.tif", (1, 1))  # another file, of nobody knows how many images
    again = rehearse(archive, [tmp_path / "in"], Manner(documents=[table]))
    assert (again.changed, again.problems) == (("vol.tif",), ())


def test_an_archive_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    scan(tmp_path / "in" / "a.png", (1, 1))
    for _ in range(2):
        said = CliRunner().invoke(
            app,
            ["ingest", str(tmp_path / "archive"), str(tmp_path / "in"), "--dry-run", "--json"],
        )
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout)["new"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    told = CliRunner().invoke(
        app, ["ingest", str(tmp_path / "archive"), str(tmp_path / "in"), "--dry-run"]
    )
    assert "1 new file," in told.stdout and "Nothing was written." in told.stdout
    with pytest.raises(ArchiveError, match="not empty"), archive_as_it_stands(tmp_path / "in"):
        pass


def test_an_older_archive_is_not_brought_up_to_date(tmp_path: Path) -> None:
    path = scan(tmp_path / "in" / "a.png", (1, 1))
    archive = create_archive(tmp_path / "archive")
    pages_of(archive, tmp_path / "in")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migration.SCRIPTS))
    with archive.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")
    archive.close()
    before = snapshot(archive.folder)
    with archive_as_it_stands(archive.folder) as looked_at:
        assert rehearse(looked_at, [path.parent]).unchanged == 1
    assert snapshot(archive.folder) == before
    archive = open_archive(archive.folder)
    assert dump(archive)["pages"][0]["fingerprint"] is None
    archive.close()


def test_it_can_be_rehearsed_while_another_run_works(archive: Archive, mixed: Path) -> None:
    with archive.lock(), archive.writing(), archive_as_it_stands(archive.folder) as looked_at:
        assert rehearse(looked_at, [mixed]).changed == ("1.png",)
