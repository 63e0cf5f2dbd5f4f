"""A few processes that work ahead, give their results in order, and may die without harm."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Groups that are handed out per worker before the first result is waited for.
_AHEAD = 3


def in_order(
    groups: Iterable[Sequence[T]],
    work: Callable[[T], R],
    lost: Callable[[T], R],
    workers: int,
) -> Iterator[tuple[Sequence[T], list[R]]]:
    """Give each group with the results of `work` on its members, in the order of the groups.

    The work is done by `workers` processes, started afresh ("spawn"), so `work` and all it gets
    must be picklable; one worker means this process. A member that ends its process, such as a
    file that makes a decoder crash, is tried once more by itself, and if that ends badly too
    `lost` gives its result. Exceptions of `work` are raised here.
    """
    groups = iter(groups)
    head = next(groups, None)
    if head is None:
        return  # nothing to do is no reason to start processes
    groups = itertools.chain([head], groups)
    pool = _pool(workers) if workers > 1 else None
    if pool is None:
        for group in groups:
            yield group, [work(member) for member in group]
        return
    pending: deque[tuple[Sequence[T], Future[list[R]] | None]] = deque()
    try:
        for group in groups:
            pending.append((group, _submitted(pool, work, group)))
            while len(pending) > _AHEAD * workers:
                pool, done = _first(pool, pending, work, lost, workers)
                yield done
        while pending:
            pool, done = _first(pool, pending, work, lost, workers)
            yield done
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _first(
    pool: ProcessPoolExecutor,
    pending: deque[tuple[Sequence[T], Future[list[R]] | None]],
    work: Callable[[T], R],
    lost: Callable[[T], R],
    workers: int,
) -> tuple[ProcessPoolExecutor, tuple[Sequence[T], list[R]]]:
    """Take the first pending group, and return its results and the pool to go on with."""
    group, future = pending.popleft()
    if future is not None:
        with contextlib.suppress(BrokenProcessPool):
            return pool, (group, future.result())
    pool.shutdown(wait=True, cancel_futures=True)
    results = [_alone(member, work, lost) for member in group]
    pool = _pool(workers) or pool
    for at, (other, unfinished) in enumerate(pending):
        if unfinished is None or not unfinished.done() or _was_lost(unfinished):
            pending[at] = other, _submitted(pool, work, other)
    return pool, (group, results)


def _submitted(
    pool: ProcessPoolExecutor, work: Callable[[T], R], group: Sequence[T]
) -> Future[list[R]] | None:
    try:
        return pool.submit(_work_through, work, group)
    except RuntimeError:  # it is broken, or was and has been shut down
        return None


def _was_lost(future: Future[list[R]]) -> bool:
    return future.cancelled() or isinstance(future.exception(), BrokenProcessPool)


def _alone(member: T, work: Callable[[T], R], lost: Callable[[T], R]) -> R:
    pool = _pool(1)
    if pool is None:
        return lost(member)
    with pool:
        try:
            return pool.submit(_work_through, work, [member]).result()[0]
        except BrokenProcessPool:
            return lost(member)


def _pool(workers: int) -> ProcessPoolExecutor | None:
    """Return a pool whose processes start; None where they cannot.

    They cannot where the program is typed in at a prompt, or is a script whose work is not
    under `if __name__ == "__main__"`.
    """
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare
    )
    try:
        pool.submit(_work_through, len, [()]).result()
    except BrokenProcessPool:
        pool.shutdown(wait=False)
        return None
    return pool


def _work_through(work: Callable[[T], R], group: Sequence[T]) -> list[R]:
    return [work(member) for member in group]


def _prepare() -> None:
    """Make a worker leave Ctrl-C to the main process, end with it, and keep to one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)  # the parent was killed: nobody reads what is being done here

    threading.Thread(target=end_with_parent, daemon=True).start()
    import cv2

    cv2.setNumThreads(1)
