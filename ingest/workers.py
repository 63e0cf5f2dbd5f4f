"""A few processes that work ahead, give their results in order, and may die or hang unharmed."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import multiprocessing
import os
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Generic, TypeVar

from retrieval.catalogue.errors import ArchiveError
from retrieval.processes import serve_parent

T = TypeVar("T")
R = TypeVar("R")

#: Groups that are handed out per worker before the first result is waited for.
_AHEAD = 3

#: A worker has one core. Libraries of linear algebra would take all of them in each, and ask for
#: their share when they are loaded, before a worker can say a word.
_ONE_CORE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")

_spawning = multiprocessing.get_context("spawn")

#: The environment is changed by one thread at a time.
_starting = threading.Lock()

#: In a worker: tells the main process that it is getting on.
_tell: Callable[[], None] | None = None


def sign_of_life() -> None:
    """Say that the work on a long member is getting on: its time begins anew."""
    if _tell is not None:
        _tell()


def in_order(
    groups: Iterable[Sequence[T]],
    work: Callable[[T], R],
    lost: Callable[[T], R],
    stuck: Callable[[T], R],
    workers: int,
    patience: float,
) -> Generator[tuple[Sequence[T], list[R]], None, None]:
    """Give each group with the results of `work` on its members, in the order of the groups.

    The work is done by `workers` processes, started afresh ("spawn"), so `work` and all it gets
    must be picklable; no workers means this process, which nothing can guard. A member that ends
    its process, such as a file that makes a decoder crash, is tried once more, and if that ends
    badly too `lost` gives its result. One that gives no `sign_of_life` for `patience` seconds has
    its process ended, and `stuck` gives its result. Exceptions of `work` are raised here, and
    ArchiveError where the system refuses a process.
    """
    groups = iter(groups)
    head = next(groups, None)
    if head is None:
        return  # no need to start processes
    groups = itertools.chain([head], groups)
    crew = _Crew(work, lost, stuck, patience)
    if workers < 1 or not crew.start(workers):
        for group in groups:
            yield group, [work(member) for member in group]
        return
    # A thread for each process hands it its members one by one, and watches over it.
    threads = ThreadPoolExecutor(workers)
    pending: deque[tuple[Sequence[T], Future[list[R]]]] = deque()
    try:
        for group in groups:
            pending.append((group, threads.submit(crew.work_through, group)))
            while len(pending) > _AHEAD * workers:
                group, future = pending.popleft()
                yield group, future.result()
        while pending:
            group, future = pending.popleft()
            yield group, future.result()
    finally:
        crew.end()
        threads.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Stuck(Exception):
    """A worker has given no sign of life."""


class _Ended(Exception):
    """A worker's process has ended."""


class _Crew(Generic[T, R]):
    """The processes, as many as threads use them, and what becomes of those that fail."""

    def __init__(
        self,
        work: Callable[[T], R],
        lost: Callable[[T], R],
        stuck: Callable[[T], R],
        patience: float,
    ) -> None:
        self._work, self._lost, self._stuck, self._patience = work, lost, stuck, patience
        self._idle: SimpleQueue[_Worker[T, R]] = SimpleQueue()
        self._all: set[_Worker[T, R]] = set()
        self._ended = False
        self._processes = threading.Lock()
        self._again = threading.Lock()

    def start(self, workers: int) -> bool:
        """Start the processes; False where they cannot be started.

        They cannot where the program is typed in at a prompt, or is a script whose work is not
        under `if __name__ == "__main__"`.
        """
        with self._processes:
            started = [self._new() for _ in range(workers)]
        if not all(worker.is_ready() for worker in started):
            self.end()
            return False
        for worker in started:
            self._idle.put(worker)
        return True

    def end(self) -> None:
        """End the processes; what they were doing is lost."""
        with self._processes:
            self._ended = True
            for worker in self._all:
                worker.kill()

    def work_through(self, group: Sequence[T]) -> list[R]:
        """Return the results of the members, each worked on in a process."""
        return [self._result(member) for member in group]

    def _result(self, member: T) -> R:
        with contextlib.suppress(_Ended):
            return self._tried(member)
        # Whether it was to blame or another that took all the memory: those few, one by one.
        with self._again, contextlib.suppress(_Ended):
            return self._tried(member)
        return self._lost(member)

    def _tried(self, member: T) -> R:
        worker = self._idle.get()
        try:
            return worker.result(member, self._patience)
        except _Stuck:
            return self._stuck(member)
        finally:
            try:
                worker = self._instead_of(worker) if worker.has_ended else worker
            finally:
                self._idle.put(worker)  # even if it has ended: another thread may wait for one

    def _instead_of(self, ended: _Worker[T, R]) -> _Worker[T, R]:
        with self._processes:
            if self._ended:
                return ended
            self._all.discard(ended)
            ended.kill()
            return self._new()  # where it cannot start, what it gets is lost

    def _new(self) -> _Worker[T, R]:
        try:
            worker = _Worker(self._work)
        except OSError as error:
            raise ArchiveError(
                f"No worker process can be started: {error.strerror or error}. Close other "
                "programs or set fewer workers, then run the same command again: it continues "
                "where it stopped."
            ) from error
        self._all.add(worker)
        return worker


class _Worker(Generic[T, R]):
    """A process and the pipe to it. It answers with None when ready, and as a sign of life."""

    def __init__(self, work: Callable[[T], R]) -> None:
        self._pipe, other = _spawning.Pipe()
        self._process = _spawning.Process(target=_serve, args=(other, work), daemon=True)
        with _starting, _environment(_ONE_CORE):
            self._process.start()
        other.close()
        self.has_ended = False

    def is_ready(self) -> bool:
        """Wait until it has started, and return whether it has."""
        try:
            return self._pipe.recv() is None
        except (EOFError, OSError):
            self.has_ended = True
            return False

    def result(self, member: T, patience: float) -> R:
        """Return what it makes of the member, or raise what `work` raised; _Stuck, _Ended."""
        try:
            self._pipe.send(member)
            while (answer := self._answer(patience)) is None:
                pass
        except (EOFError, OSError) as error:
            self.has_ended = True
            raise _Ended from error
        result, problem = answer
        if problem is not None:
            raise problem
        return result

    def _answer(self, patience: float) -> tuple[R, BaseException | None] | None:
        # Second by second: a computer that slept, or a run that was suspended, was not waiting.
        for _ in range(math.ceil(patience)):
            if self._pipe.poll(min(1.0, patience)):
                answer: tuple[R, BaseException | None] | None = self._pipe.recv()
                return answer
        self.has_ended = True  # as good as
        raise _Stuck

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# In the worker -------------------------------------------------------------------------------


def _serve(pipe: Connection, work: Callable[[T], R]) -> None:
    """Work on what comes through the pipe until its other end is closed."""
    global _tell
    _prepare()
    _tell = functools.partial(pipe.send, None)
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            member = pipe.recv()
            answer: tuple[R | None, Exception | None]
            try:
                answer = work(member), None
            except Exception as error:  # handed to the main process, which raises it
                error.add_note(f"In a worker:\n{traceback.format_exc()}")
                answer = None, error
            pipe.send(answer)


def _prepare() -> None:
    """Make a worker serve its parent alone, on one thread, and print nothing."""
    serve_parent()
    # Decoders print what they think of a file without its name, in the midst of the progress. What
    # matters goes through the pipe: results, and exceptions with their traceback.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
    import cv2

    cv2.setNumThreads(1)
