from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ui.web import standing
from ui.web.standing import QUICK, Standing


class Counting:
    """Counts up, each time taking so many seconds of a clock that only it and the test advance."""

    def __init__(self) -> None:
        self.now, self.takes, self.counted = 100.0, 0.0, 0

    def __call__(self) -> int:
        self.now += self.takes
        self.counted += 1
        return self.counted


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(standing, "monotonic", lambda: counting.now)
    return counting


def test_a_quick_figure_is_counted_whenever_the_archive_changed(counting: Counting) -> None:
    figure = Standing[int]()
    assert [figure.at(state, counting) for state in "aabba"] == [1, 1, 2, 2, 3]
    counting.now += 1e6
    assert figure.at("a", counting) == 3


def test_a_slow_figure_stands_ten_times_as_long_as_it_took(counting: Counting) -> None:
    figure = Standing[int]()
    counting.takes = 2 * QUICK
    assert [figure.at(state, counting) for state in "abc"] == [1, 1, 1]
    counting.now += 19 * QUICK
    assert figure.at("c", counting) == 1
    counting.now += 2 * QUICK
    assert [figure.at(state, counting) for state in "cd"] == [2, 2]


def test_an_archive_that_does_not_change_is_never_counted_again(counting: Counting) -> None:
    figure = Standing[int]()
    counting.takes = 60.0
    figure.at("a", counting)
    counting.now += 1e6
    assert figure.at("a", counting) == 1


def test_a_figure_that_could_not_be_counted_is_counted_by_the_next(counting: Counting) -> None:
    def locked() -> int:
        raise OSError("database is locked")

    figure = Standing[int]()
    for _ in range(2):
        with pytest.raises(OSError, match="locked"):
            figure.at("a", locked)
    assert figure.at("a", counting) == 1


def test_two_visitors_wait_for_one_count() -> None:
    figure, asked, may_end = Standing[int](), Event(), Event()

    def count() -> int:
        asked.set()
        assert may_end.wait(10)
        return 7

    def not_again() -> int:
        raise AssertionError("counted twice")

    with ThreadPoolExecutor(2) as visitors:
        first = visitors.submit(figure.at, "a", count)
        assert asked.wait(10)
        second = visitors.submit(figure.at, "a", not_again)
        may_end.set()
        assert (first.result(10), second.result(10)) == (7, 7)
