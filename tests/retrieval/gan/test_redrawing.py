from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from retrieval.gan.redrawing import redrawn_pairs


def test_a_mark_is_drawn_by_two_hands() -> None:
    pairs = redrawn_pairs(3, 20, 48, workers=1)
    assert all((one != other).any() for one, other in pairs)


_DRAWING = """
import multiprocessing, threading, time
from retrieval.gan.redrawing import redrawn_pairs

def tell():
    while len(workers := multiprocessing.active_children()) < 2:
        time.sleep(0.05)
    print(*[worker.pid for worker in workers], flush=True)

if __name__ == "__main__":
    threading.Thread(target=tell, daemon=True).start()
    redrawn_pairs(1, 100_000, 64, workers=2)
"""


def test_killed_while_drawing_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "drawing.py"
    script.write_text(_DRAWING)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as drawing:
        assert drawing.stdout is not None
        workers = [int(worker) for worker in drawing.stdout.readline().split()]
        time.sleep(1.5)  # they are at work by now
        drawing.kill()
    assert len(workers) == 2
    ends = time.monotonic() + 60
    while (left := [worker for worker in workers if _runs(worker)]) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not left


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
