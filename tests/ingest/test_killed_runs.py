from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from retrieval.catalogue.archive import Archive, create_archive
from tests.ingest.scans import crops_in, dump, page_image, pages_of, quarantine, scan, written_page

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.ingest.scans import propose
from ingest.batch import ingest_pages
from ingest.manner import Manner
from ingest.segmentation import Segmenter
from retrieval.catalogue.archive import create_archive

def slowly(image):
    time.sleep(0.02)
    return propose(image)

if __name__ == "__main__":
    # A process started in the background by a shell has Ctrl-C ignored, and hands that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ingest_pages(
        create_archive(sys.argv[1]),
        [Path(sys.argv[2])],
        Segmenter("squares-1", slowly),
        Manner(workers=2, progress=lambda event: print(event.done, flush=True)),
    )
    print("torch" in sys.modules)
"""


def start(program: Path, archive: Path, source: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(program), str(archive), str(source), str(Path(__file__).parents[2])],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def many(tmp_path: Path) -> tuple[Path, Path]:
    """A program that ingests, and a source of pages of every sort."""
    source = tmp_path / "in"
    rng = np.random.default_rng(5)
    for number in range(24):
        path = scan(source / f"{number}.png", *[(column, number % 4) for column in range(4)])
        # Pages large enough that each is a transaction of its own, and copies among them.
        noise = rng.integers(0, 9, (700, 1000, 3), dtype=np.uint8)
        image = np.asarray(Image.open(path))
        noise[:80, :100] += image
        noise[80:] += 200
        noise[:80, 100:] += 200
        Image.fromarray(noise).save(path, compress_level=0)
    shutil.copy(source / "3.png", source / "19.png")
    (source / "11.png").write_bytes(b"junk")
    with tifffile.TiffWriter(source / "7.tif") as writer:
        for column in range(4):
            writer.write(page_image((column, 0)), photometric="rgb")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    return program, source


def test_a_run_that_is_killed_goes_on_where_it_stopped(
    archive: Archive, tmp_path: Path, many: tuple[Path, Path]
) -> None:
    program, source = many
    whole = create_archive(tmp_path / "whole")
    pages_of(whole, source)
    expected, crops = dump(whole), crops_in(whole)
    whole.close()
    assert len(expected["pages"]) > 20

    stops: Sequence[int] = (1, 9, 17)
    left = []
    for stop in stops:
        with start(program, archive.folder, source) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= stop:
                    break
            os.kill(process.pid, signal.SIGKILL)
        left.append(len(dump(archive)["pages"]))
    assert left == sorted(left) and left[0] < left[-1] < len(expected["pages"])

    stray = archive.crops_folder / next(iter(crops))[:2] / ".unfinished-x"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half a cr")
    with start(program, archive.folder, source) as process:
        assert process.stdout is not None
        output = process.stdout.read().split()
    assert process.returncode == 0
    assert output[-1] == "False"  # torch was not imported
    assert dump(archive) == expected
    assert crops_in(archive) == crops
    assert [row["source"] for row in quarantine(archive)] == ["11.png"]


def test_ctrl_c_stops_the_run_and_keeps_what_was_done(
    archive: Archive, many: tuple[Path, Path]
) -> None:
    program, source = many
    with start(program, archive.folder, source) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode not in (0, -signal.SIGKILL)
    done = len(dump(archive)["pages"])
    assert done >= 1
    with archive.lock():
        pass
    report = pages_of(archive, source)
    assert report.unchanged == done and report.failed == 1


def test_workers_end_with_a_parent_that_is_killed(
    archive: Archive, many: tuple[Path, Path]
) -> None:
    program, source = many
    with start(program, archive.folder, source) as process:
        assert process.stdout is not None
        process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            process.kill()
            pytest.skip("this system does not list a process's children")
        workers = [int(child) for child in children.read_text().split()]
        os.kill(process.pid, signal.SIGKILL)
        process.stdout.read()  # ends when the last process that may write to it has ended
    assert workers
    for worker in workers:
        assert not is_running_ingest(worker)


def is_running_ingest(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        return b"spawn_main" in command
    except OSError:
        return False


KILLER = """
import os, signal, sqlite3, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[4])
import cv2, numpy as np
import ingest.discovery
from tests.ingest.scans import propose
from ingest.batch import ingest_pages
from ingest.manner import Manner
from ingest.segmentation import Segmenter
from retrieval.catalogue.archive import create_archive

ingest.discovery._GROUP_FILES = 2  # small pages, and yet many transactions

def slowly(image):
    time.sleep(0.003)
    return propose(image)

def take_in(archive, source, workers, said):
    ingest_pages(
        create_archive(archive), [Path(source)], Segmenter("squares-1", slowly),
        Manner(workers=workers, progress=lambda event: os.write(said, b".")),
    )

def held(archive):
    try:
        with sqlite3.connect(f"file:{archive}/archive.db?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM pages").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # it has not come so far

def started(archive, source, workers):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            take_in(archive, source, workers, writing)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    return child, reading

if __name__ == "__main__":
    archive, source, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rng = np.random.default_rng(seed)
    cv2.setNumThreads(1)
    kills = 0
    for turn in range(20):
        before = held(archive)
        child, said = started(archive, source, 2 if turn in (2, 9) else 0)
        wanted = int(rng.integers(0, 4))
        if wanted:
            for _ in range(before + wanted):
                if not os.read(said, 1):
                    break
        time.sleep(float(rng.uniform(0, 0.02 if wanted else 0.2)))
        os.kill(child, signal.SIGKILL)
        kills += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        os.close(said)
    left = held(archive)
    child, said = started(archive, source, 0)
    while os.read(said, 4096):
        pass
    print(kills, left, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("seed", [1])
def test_twenty_kills_leave_what_an_uninterrupted_run_leaves(tmp_path: Path, seed: int) -> None:
    source = tmp_path / "in"
    for number in range(96):  # more than twenty runs get through, on a busy machine too
        scan(source / f"{number:02}.png", *[(column, number % 4) for column in range(number % 6)])
    for number in (5, 18, 40, 61):  # copies
        shutil.copy(source / "03.png", source / f"{number:02}.png")
    for number in (8, 33):
        (source / f"{number:02}.png").write_bytes(b"junk")
    for number in (6, 20, 47):  # the same page saved again
        page = Image.fromarray(written_page(number, (320, 240)))
        page.save(source / f"{number:02}.png")
        page.save(source / f"{number:02}b.jpg", quality=80)
    with tifffile.TiffWriter(source / "27.tif") as writer:
        for column in range(4):
            writer.write(page_image((column, 0)), photometric="rgb")
    whole = create_archive(tmp_path / "whole")
    report = pages_of(whole, source)
    assert (report.duplicates > 3, report.failed, len(report.resembling)) == (True, 2, 3)
    expected, crops = dump(whole), crops_in(whole)
    whole.close()

    program = tmp_path / "killer.py"
    program.write_text(KILLER, encoding="utf-8")
    folder = tmp_path / "archive"
    done = subprocess.run(
        [sys.executable, str(program), str(folder), str(source), str(seed), str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
    )
    kills, left, ended = map(int, done.stdout.split())
    assert kills == 20 and ended == 0, done.stderr
    assert left < len(expected["pages"]), "nothing was left for the last run"
    archive = create_archive(folder)
    assert dump(archive) == expected
    assert crops_in(archive) == crops
    assert {f"{mark['crop']}.png" for mark in expected["marks"]} == crops  # none is an orphan
    assert not list(folder.rglob(".unfinished-*")) and not (folder / ".ingesting").exists()
    assert [row["source"] for row in quarantine(archive)] == ["08.png", "33.png"]
    archive.close()
