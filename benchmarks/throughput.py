"""Print how fast scans are taken in: `python benchmarks/throughput.py [--pages 12]`.

Synthetic pages of 12 megapixels are drawn as JPEG (into `--folder`, to be used again), decoded
alone, and ingested into a new archive by the command itself, both by as many workers as there are
cores. Wall time depends on what else runs; processor time a page hardly does. Then `--files` rows
and files that have not changed are met by a second run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import insert

from ingest.reading import file_digest
from ingest.segmentation import SEGMENTER
from ingest.sources import read_frames
from ingest.stamp import file_stamp
from ingest.synthetic.archive import draw_archive
from ingest.workers import in_order
from retrieval.catalogue.archive import create_archive
from retrieval.catalogue.tables import Page

SIZE = (3000, 4000)


def decoded(path: Path) -> int:
    """Read a page and let it go; return its pixels."""
    return sum(frame.image.size // 3 for frame in read_frames(path))


def nothing(_path: Path) -> int:
    return 0


def decode_alone(paths: list[Path], workers: int) -> None:
    groups = ([path] for path in paths)
    for _, (pixels,) in in_order(groups, decoded, nothing, nothing, workers, 600):
        assert pixels == SIZE[0] * SIZE[1]


def command(*arguments: object) -> dict[str, object]:
    """Run `prizemarks ... --json`; return what it says."""
    program = Path(sys.executable).with_name("prizemarks")
    done = subprocess.run(
        [program, *map(str, arguments), "--json"], capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def timed(work: Callable[[], object]) -> tuple[float, float, object]:
    """Return (wall, processor) seconds of the work and its processes, and what it gave."""

    def spent() -> float:
        both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(sum(resource.getrusage(who)[:2]) for who in both)

    began, before = time.perf_counter(), spent()
    found = work()
    return time.perf_counter() - began, spent() - before, found


def second_run(folder: Path, files: int) -> None:
    """Print how long a run over files that have not changed takes."""
    source = folder / "unchanged"
    for number in range(files):
        path = source / f"{number // 100:03}" / f"{number % 100:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    rows = []
    for path in sorted(source.rglob("*.png")):
        size, mtime_ns = file_stamp(path)
        rows.append(
            {
                "source": path.relative_to(source).as_posix(), "location": str(path), "frame": 0,
                "width": 8, "height": 8, "sha256": file_digest(path), "size": size,
                "mtime_ns": mtime_ns, "segmenter": SEGMENTER,
            }
        )  # fmt: skip
    with closing(create_archive(folder / "second")) as archive, archive.session() as session:
        session.execute(insert(Page), rows)
    wall, processor, found = timed(lambda: command("ingest", folder / "second", source))
    assert isinstance(found, dict) and found["unchanged"] == files
    print(f"{files:,} unchanged files: {wall:.1f} s ({processor:.1f} s of processor)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--folder", type=Path, help="where the pages are drawn, or lie already")
    options = parser.parse_args()
    os.environ["PRIZEMARKS_WORKERS"] = str(options.workers)
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        drawn = draw_archive(
            options.folder or temporary / "drawn",
            seed=5,
            identities=8,
            pages=options.pages,
            size=SIZE,
        )
        paths = sorted(drawn.pages_folder.glob("*.jpg"))
        decode_alone(paths[:1], 1)  # from the disk into memory, and the programs too
        before = timed(lambda: decode_alone(paths, options.workers))
        wall, processor, found = timed(
            lambda: command("ingest", temporary / "archive", drawn.pages_folder)
        )
        after = timed(lambda: decode_alone(paths, options.workers))
        assert isinstance(found, dict) and found["added"] == len(paths)
        alone, alone_processor = (
            (one + other) / 2 for one, other in zip(before[:2], after[:2], strict=True)
        )
        print(f"{len(paths)} pages of 12 megapixels, {options.workers} workers")
        print("                        wall s   pages/s   processor s/page")
        for what, took, worked in (
            ("decoded alone", alone, alone_processor),
            ("taken in", wall, processor),
        ):
            rate, each = len(paths) / took, worked / len(paths)
            print(f"  {what:18} {took:10.1f} {rate:9.2f} {each:18.3f}")
        print(
            f"  ratio              {wall / alone:10.2f} {'':9} {processor / alone_processor:18.2f}"
        )
        second_run(temporary, options.files)


if __name__ == "__main__":
    main()
