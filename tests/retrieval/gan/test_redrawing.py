from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from retrieval.gan.redrawing import redrawn_pairs


def test_a_near_miss_stands_in_the_row_after_its_mark_on_the_same_sheets() -> None:
    pairs = redrawn_pairs(3, 120, 48, workers=1).astype(np.float32)
    marks, misses = pairs[0::2, 0].reshape(60, -1), pairs[1::2, 0].reshape(60, -1)
    apart = np.abs(marks[:, None] - misses[None]).mean(axis=2)
    assert np.mean(apart.argmin(axis=1) == np.arange(60)) > 0.4, "chance: 1/60"
    assert apart.diagonal().min() > 0, "a near miss is another picture"


def test_a_mark_is_drawn_by_two_hands() -> None:
    pairs = redrawn_pairs(3, 20, 48, workers=1)
    assert all((one != other).any() for one, other in pairs)


def test_an_odd_number_of_identities_ends_without_a_near_miss() -> None:
    even, odd = redrawn_pairs(5, 8, 32, workers=1), redrawn_pairs(5, 7, 32, workers=1)
    assert odd.shape == (7, 2, 32, 32)
    np.testing.assert_array_equal(odd[:7], even[:7])


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
