from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from retrieval.catalogue.archive import Archive, create_archive
from tests.ingest.iiif.taking_in import letters, placeless, put, take_in
from tests.ingest.iiif_server import Server, canvas_2
from tests.ingest.scans import crops_in, dump

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.ingest.iiif.taking_in import QUICK
from tests.ingest.scans import pages_of
from retrieval.catalogue.archive import create_archive

if __name__ == "__main__":
    pages_of(create_archive(sys.argv[1]), sys.argv[2], courtesy=QUICK,
             progress=lambda event: print(event.done, flush=True))
"""


def test_a_run_that_is_killed_goes_on_where_it_stopped(
    archive: Archive, server: Server, tmp_path: Path
) -> None:
    address = letters(server, 12)
    # One of many tiles, so that a kill may find it half put together.
    image = np.random.default_rng(3).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    service = server.tiles("big", image)
    manifest = json.loads(server.files["/manifest.json"])
    manifest["sequences"][0]["canvases"].insert(
        5, canvas_2(server.url("/c/big"), "map", f"{service}/full/full/0/default.jpg", service)
    )
    put(server, manifest)
    whole = create_archive(tmp_path / "whole")
    take_in(whole, address)
    expected = placeless(whole)
    crops = crops_in(whole)
    whole.close()
    assert len(expected["pages"]) == 13

    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    root = str(Path(__file__).parents[3])
    for requests in (9, 25):
        server.asked.clear()
        with subprocess.Popen(
            [sys.executable, str(program), str(archive.folder), address, root],
            stdout=subprocess.DEVNULL,
        ) as process:
            while len(server.asked) < requests and process.poll() is None:
                time.sleep(0.001)
            os.kill(process.pid, signal.SIGKILL)
    assert len(dump(archive)["pages"]) < 13
    server.asked.clear()
    take_in(archive, address)
    assert 0 < sum("info.json" in path for path in server.asked) < 13
    assert placeless(archive) == expected
    assert crops_in(archive) == crops
    assert not list(archive.masters_folder.rglob(".unfinished*"))
