from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import delete, select

from ingest.batch import ingest_pages
from ingest.everywhere import Standing, look_everywhere, standing
from ingest.manner import Manner
from ingest.segmentation import Segmenter
from retrieval.catalogue.archive import Archive, create_archive
from retrieval.catalogue.documents import Filters
from retrieval.catalogue.errors import ArchiveError, ModelError, QueryError
from retrieval.catalogue.files import write_atomically
from retrieval.catalogue.tables import Mark, Page
from retrieval.index import refresh_index
from retrieval.index_state import check_indexed
from retrieval.model import bundled_model
from retrieval.orientation import orientations
from retrieval.places import (
    Place,
    load_places,
    one_place,
)
from retrieval.search import Scope, load_searcher, search_images, search_marks
from retrieval.shards import each_page, shard_paths, shards_folder
from tests.missed_marks import PLACES, SIDE, first_alone, make_missed, make_unmarked, missed_page

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import ingest.everywhere
from retrieval.catalogue.archive import open_archive
from retrieval.model import read_model

if __name__ == "__main__":
    ingest.everywhere.AT_ONCE = 1
    archive = open_archive(sys.argv[1])
    (folder,) = archive.models_folder.iterdir()
    def report(done, total):
        print(done, flush=True)
        if done == 3:
            sys.stdin.read()  # until we are killed
    ingest.everywhere.look_everywhere(archive, read_model(folder), workers=0, report=report)
"""


def on_place(box: tuple[int, int, int, int], place: int) -> bool:
    x, y = PLACES[place]
    middle_x, middle_y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return x <= middle_x < x + SIDE and y <= middle_y < y + SIDE


def contents(archive: Archive, model_id: str) -> dict[object, tuple[bytes, bytes]]:
    return {
        page.page: (page.boxes.tobytes(), page.codes.tobytes())
        for page in each_page(shards_folder(archive, model_id), 128)
    }


def test_marks_that_were_passed_over_are_found(archive: Archive, tmp_path: Path) -> None:
    model = make_missed(archive, tmp_path / "scans", model=bundled_model())
    done = look_everywhere(archive, model, workers=0)
    assert (done.looked, done.pages, done.unread) == (3, 3, ())
    assert done.regions >= 12 and done.bytes > 0
    searcher, places = load_searcher(archive), load_places(archive, model)
    for page in range(3):
        for place in range(1, 4):
            x, y = PLACES[place]
            crop = missed_page(page)[y : y + SIDE, x : x + SIDE]
            first = search_images(searcher, [crop], scope=Scope(places=places, top=5))[0][0]
            assert isinstance(first, Place)
            assert first.source == f"{page}.png" and on_place(first.box, place)
    x, y = PLACES[0]
    found = search_images(
        searcher, [missed_page(1)[y : y + SIDE, x : x + SIDE]], scope=Scope(places=places, top=100)
    )[0]
    assert not isinstance(found[0], Place), "a known mark is its own result"
    for one in found:
        if isinstance(one, Place):
            on_it = one_place(np.array(one.box), np.array([[x, y, SIDE, SIDE]]))[0]
            assert not (one.source == "1.png" and on_it), "and not doubled"


def test_a_second_run_reads_nothing_and_new_pages_alone(archive: Archive, tmp_path: Path) -> None:
    model = make_missed(archive, tmp_path / "scans")
    look_everywhere(archive, model, workers=0)
    before = contents(archive, model.id)
    assert look_everywhere(archive, model, workers=0).looked == 0
    make_missed(archive, tmp_path / "scans", 4)
    done = look_everywhere(archive, model, workers=0)
    assert (done.looked, done.pages) == (1, 4)
    assert before.items() <= contents(archive, model.id).items()


def test_pages_read_anew_or_gone_are_refreshed(archive: Archive, tmp_path: Path) -> None:
    model = make_missed(archive, tmp_path / "scans")
    look_everywhere(archive, model, workers=0)
    before = contents(archive, model.id)
    cv2.imwrite(str(tmp_path / "scans/1.png"), missed_page(7))
    with archive.session() as session:
        gone = session.scalar(select(Page.id).where(Page.source == "2.png"))
        session.execute(delete(Mark))
        session.execute(delete(Page).where(Page.id == gone))
    (tmp_path / "scans/2.png").unlink()
    ingest_pages(
        archive, [tmp_path / "scans"], Segmenter("first-1", first_alone), Manner(workers=0)
    )
    assert len(load_places(archive, model).pages) == 1, "what is stale is not shown"
    done = look_everywhere(archive, model, workers=0)
    assert (done.looked, done.pages) == (1, 2)
    assert len(before.keys() & contents(archive, model.id).keys()) == 1


def test_a_master_that_is_gone_or_changed_is_said_and_tried_again(
    archive: Archive, tmp_path: Path
) -> None:
    model = make_missed(archive, tmp_path / "scans")
    (tmp_path / "scans/0.png").rename(tmp_path / "away.png")
    cv2.imwrite(str(tmp_path / "scans/2.png"), missed_page(9))
    done = look_everywhere(archive, model, workers=0)
    assert (done.looked, done.pages) == (1, 1)
    assert len(done.unread) == 2
    assert done.unread[0].startswith("0.png:") and "cannot be read" in done.unread[0]
    assert done.unread[1].startswith("2.png:") and "changed" in done.unread[1]
    (tmp_path / "away.png").rename(tmp_path / "scans/0.png")
    assert look_everywhere(archive, model, workers=0).looked == 1


@pytest.mark.parametrize("written", [0, 1, 3])  # the pages' shards, then what puts them together
def test_a_full_disk_ends_a_run_and_the_next_goes_on(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    model = make_missed(archive, tmp_path / "scans")
    monkeypatch.setattr("ingest.everywhere.AT_ONCE", 1)
    left = iter(range(written))

    def full(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        write_atomically(path, content)

    folder = shards_folder(archive, model.id)
    with monkeypatch.context() as disk:
        disk.setattr("retrieval.shards.write_atomically", full)
        said = f"{folder} cannot be written to: No space left on device"
        for _ in range(1 + written // 2):  # begun again, it puts together what there is
            with pytest.raises(ArchiveError, match=re.escape(said)):
                look_everywhere(archive, model, workers=0)
    done = look_everywhere(archive, model, workers=0)
    assert (done.looked, done.pages) == (3 - written, 3)


@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_a_damaged_file_is_made_again(archive: Archive, tmp_path: Path, damage: str) -> None:
    model = make_missed(archive, tmp_path / "scans")
    look_everywhere(archive, model, workers=0)
    before = contents(archive, model.id)
    (shard,) = shard_paths(shards_folder(archive, model.id))
    if damage == "truncated":
        shard.write_bytes(shard.read_bytes()[:1000])
        assert len(load_places(archive, model)) == 0, "not trusted"
    else:
        shard.unlink()
    assert look_everywhere(archive, model, workers=0).looked == 3
    assert contents(archive, model.id) == before


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    archive = create_archive(tmp_path / "archive")
    model = make_missed(archive, tmp_path / "scans", 5)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, str(program), str(archive.folder), str(Path(__file__).parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    while run.stdout.readline().strip() != "3":
        assert run.poll() is None
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert run.stdin is not None
    run.stdin.close()
    run.stdout.close()
    kept = contents(archive, model.id)
    assert len(kept) == 3, "what was done is kept"
    (shards_folder(archive, model.id) / ".unfinished-half").write_bytes(b"half a shard")
    done = look_everywhere(archive, model, workers=0)
    assert (done.looked, done.pages) == (2, 5)
    assert kept.items() <= contents(archive, model.id).items()
    assert len(list(shards_folder(archive, model.id).iterdir())) == 1, "nothing half-written"
    other = create_archive(tmp_path / "other")
    make_missed(other, tmp_path / "scans", 5)
    look_everywhere(other, model, workers=0)
    uninterrupted, resumed = contents(other, model.id), contents(archive, model.id)
    assert uninterrupted.keys() == resumed.keys()
    for page, (boxes, codes) in resumed.items():
        assert boxes == uninterrupted[page][0]
        # Another process may share its sums out among other threads: a code may round otherwise.
        both = (
            np.frombuffer(each, np.int8).astype(int) for each in (codes, uninterrupted[page][1])
        )
        assert np.abs(np.subtract(*both)).max() <= 1
    for one in (archive, other):
        one.close()


def test_worker_processes_give_the_same(archive: Archive, tmp_path: Path) -> None:
    model = make_missed(archive, tmp_path / "scans")
    told: list[tuple[int, int]] = []
    look_everywhere(archive, model, workers=1, report=lambda *at: told.append(at))
    here = contents(archive, model.id)
    for shard in shard_paths(shards_folder(archive, model.id)):
        shard.unlink()
    look_everywhere(archive, model, workers=0)
    assert contents(archive, model.id) == here
    assert told == [(3, 3)]
    assert all(len(codes) > 0 for _, codes in here.values())
    assert np.isfinite(load_places(archive, model).scores.power)


def test_what_is_up_to_date_is_what_the_next_run_leaves_alone(
    archive: Archive, tmp_path: Path
) -> None:
    model = make_missed(archive, tmp_path / "scans")
    assert standing(archive, model) == Standing(
        pages=3, current=0, older=0, missing=3, other_model=0
    )
    look_everywhere(archive, model, workers=0)
    make_missed(archive, tmp_path / "scans", 5)
    cv2.imwrite(str(tmp_path / "scans/1.png"), missed_page(7))  # another page than was looked at
    (tmp_path / "scans/copy.png").write_bytes((tmp_path / "scans/0.png").read_bytes())
    ingest_pages(
        archive, [tmp_path / "scans"], Segmenter("first-1", first_alone), Manner(workers=0)
    )
    now = standing(archive, model)
    assert now == Standing(pages=5, current=2, older=0, missing=3, other_model=0)
    assert now.searchable == 2
    done = look_everywhere(archive, model, workers=0)
    assert (done.looked, done.pages) == (now.missing, now.pages)
    assert standing(archive, model) == Standing(
        pages=5, current=5, older=0, missing=0, other_model=0
    )


def test_regions_of_an_older_version_or_another_model_are_told_apart(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_missed(archive, tmp_path / "scans")
    with monkeypatch.context() as older:
        older.setattr("ingest.everywhere.REGIONS", "candidates of ink-0, seen otherwise")
        look_everywhere(archive, model, workers=0)
        assert standing(archive, model).current == 3
    assert standing(archive, model) == Standing(
        pages=3, current=0, older=3, missing=0, other_model=0
    )
    assert len(load_places(archive, model)) > 0, "a search still looks at them"

    other = bundled_model()
    assert standing(archive, other) == Standing(
        pages=3, current=0, older=0, missing=3, other_model=3
    )
    make_missed(archive, tmp_path / "scans", 4)
    now = standing(archive, other)
    assert (now.pages, now.missing, now.other_model) == (4, 4, 3)
    look_everywhere(archive, other, workers=0)
    assert standing(archive, other) == Standing(
        pages=4, current=4, older=0, missing=0, other_model=0
    )


def test_a_damaged_file_counts_as_nothing(archive: Archive, tmp_path: Path) -> None:
    model = make_missed(archive, tmp_path / "scans")
    look_everywhere(archive, model, workers=0)
    (shard,) = shard_paths(shards_folder(archive, model.id))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert standing(archive, model) == Standing(
        pages=3, current=0, older=0, missing=3, other_model=0
    )
    assert standing(archive, bundled_model()).other_model == 0
    assert shard.exists(), "asking changes nothing"


def test_an_archive_without_a_mark_is_searched_everywhere(archive: Archive, tmp_path: Path) -> None:
    make_unmarked(archive, tmp_path / "scans")
    model = bundled_model()  # the tiny one finds crops that are cut alike, no others
    look_everywhere(archive, model, workers=0)
    with pytest.raises(ModelError, match="There is no mark in"):
        check_indexed(archive, model)
    places = load_places(archive, model)
    searcher = load_searcher(archive, "bundled")
    for place, (x, y) in enumerate(PLACES):
        crop = missed_page(1)[y : y + SIDE, x : x + SIDE]
        (found,) = search_images(searcher, [crop], scope=Scope(places=places, top=5))
        assert len(found) == 5 and all(isinstance(one, Place) for one in found)
        assert found[0].source == "1.png" and on_place(found[0].box, place)
        assert [one.rank for one in found] == [1, 2, 3, 4, 5]
    eight = orientations(turned=True, mirrored=True)
    (found,) = search_images(
        searcher, [np.rot90(crop)], scope=Scope(places=places, top=1, ways=eight)
    )
    assert on_place(found[0].box, place) and found[0].held.turned == 90
    nowhere = Filters(ship="De Hoop")
    assert search_images(searcher, [crop], scope=Scope(places=places, where=nowhere)) == [[]]
    with pytest.raises(QueryError, match="Mark 1 is not in the index"):
        search_marks(searcher, [1], scope=Scope(places=places))

    assert refresh_index(archive, model).total == 0
    with_index = load_searcher(archive, "bundled")
    (again,) = search_images(
        with_index, [np.rot90(crop)], scope=Scope(places=places, top=1, ways=eight)
    )
    assert again == found, "an index of no mark that `index` wrote is as good as none"
