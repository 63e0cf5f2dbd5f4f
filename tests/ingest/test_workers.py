from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
import time
import warnings
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from ingest.workers import _spawning, in_order, sign_of_life
from retrieval.catalogue.errors import ArchiveError

PATIENCE = 120.0


def square(number: int) -> int:
    """Take longer for the first ones, so that the last are ready before them."""
    time.sleep(0.05 if number < 3 else 0)
    return number * number


def die_at_four(number: int) -> int:
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def raise_at_two(number: int) -> int:
    if number == 2:
        raise ValueError("two")
    return number


def where(_number: int) -> tuple[int, bool]:
    return os.getpid(), "torch" in sys.modules


def threads(_number: int) -> str | None:
    return os.environ.get("OPENBLAS_NUM_THREADS")


def no_threads(_number: int) -> str | None:
    return None


def nowhere(_number: int) -> tuple[int, bool]:
    return 0, True


def minus(number: int) -> int:
    return -number


def plus(number: int) -> int:
    return number + 1000


def hang_at_four(number: int) -> int:
    """Never return, and let no signal but SIGKILL end it, as a decoder in C would."""
    if number == 4:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_IGN)
        while True:
            time.sleep(60)
    return number


def complain(number: int) -> int:
    """Say something of no file in particular, as decoders in C and in Python do."""
    os.write(2, b"LibJpeg: Bogus Huffman table definition.\n")
    warnings.warn("Tag data larger than file.", stacklevel=1)
    return number


def long_but_alive(number: int) -> int:
    for _ in range(6):
        time.sleep(0.5)
        sign_of_life()
    return number


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_order(workers: int) -> None:
    groups = [[0, 1], [2], [], [3, 4, 5], *[[number] for number in range(6, 20)]]
    results = list(in_order(groups, square, minus, plus, workers, PATIENCE))
    assert results == [(group, [number**2 for number in group]) for group in groups]


def test_nothing_is_handed_out_far_ahead() -> None:
    taken = []

    def groups() -> object:
        for number in range(100):
            taken.append(number)
            yield [number]

    results = in_order(groups(), square, minus, plus, 2, PATIENCE)  # type: ignore[arg-type]
    next(results)
    assert len(taken) < 12
    results.close()  # type: ignore[attr-defined]


def test_a_member_that_ends_its_process_is_lost_alone() -> None:
    groups = [[0, 1], [2], [3, 4, 5], [6], [7], [8], [9]]
    results = [
        one for _, many in in_order(groups, die_at_four, minus, plus, 2, PATIENCE) for one in many
    ]
    assert results == [0, 1, 2, 3, -4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_member_that_hangs_is_given_up_alone(workers: int) -> None:
    groups = [[0, 1], [2], [3, 4, 5], [6], [7], [8], [9]]
    results = in_order(groups, hang_at_four, minus, plus, workers, 5.0)
    assert [one for _, many in results for one in many] == [0, 1, 2, 3, 1004, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_run_ends_where_no_process_can_be_started_any_more(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    before = set(multiprocessing.active_children())
    start, started = _spawning.Process, []

    def refused(**options: Any) -> BaseProcess:
        if len(started) == workers:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        started.append(start(**options))
        return started[-1]

    monkeypatch.setattr(_spawning, "Process", refused)
    results = in_order([[number] for number in range(9)], die_at_four, minus, plus, workers, 60.0)
    with pytest.raises(ArchiveError, match="can be started: Resource temporarily unavailable"):
        list(results)
    assert not set(multiprocessing.active_children()) - before


def test_a_long_member_that_gets_on_is_not_given_up() -> None:
    results = in_order([[1], [2]], long_but_alive, minus, plus, 2, 2.0)
    assert [one for _, many in results for one in many] == [1, 2]


def test_no_process_is_left_when_the_results_are_not_wanted_any_more() -> None:
    before = set(multiprocessing.active_children())
    results = in_order([[number] for number in range(50)], hang_at_four, minus, plus, 2, 600.0)
    next(results)
    assert set(multiprocessing.active_children()) - before
    results.close()  # type: ignore[attr-defined]
    assert not set(multiprocessing.active_children()) - before


def test_exceptions_come_through() -> None:
    with pytest.raises(ValueError, match="two"):
        list(in_order([[1], [2], [3]], raise_at_two, minus, plus, 2, PATIENCE))


def test_what_decoders_print_is_not_heard(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(in_order([[1]], complain, minus, plus, 1, PATIENCE)) == [([1], [1])]
    assert capfd.readouterr().err == ""


def test_the_work_is_done_elsewhere_and_without_torch() -> None:
    ((_, [(process, torch)]),) = in_order([[1]], where, nowhere, nowhere, 2, PATIENCE)
    assert process not in (0, os.getpid())
    assert torch is False


def test_a_script_without_a_guard_still_works(tmp_path: Path) -> None:
    import subprocess

    script = tmp_path / "script.py"
    script.write_text(
        "from ingest.workers import in_order\n"
        "print([many for _, many in in_order([[1, 2]], str, repr, repr, 2, 60.0)])\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines()[-1] == "[['1', '2']]"


def test_workers_do_linear_algebra_on_one_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = list(in_order([[1], [2]], threads, no_threads, no_threads, 2, PATIENCE))
    assert [results for _, results in found] == [["1"], ["1"]]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ
