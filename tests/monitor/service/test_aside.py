"""Work done aside: in order, never waited for, and what is lost is counted."""

from __future__ import annotations

import threading

from monitor.service.aside import Aside


def test_everything_is_worked_on_in_order() -> None:
    done: list[int] = []
    aside: Aside[int] = Aside("t", done.extend, 10_000)
    for begin in range(0, 1000, 100):
        aside.put(range(begin, begin + 100))
    aside.close()
    assert done == list(range(1000))
    assert aside.lost == 0


def test_whoever_puts_never_waits_for_slow_work_and_what_finds_no_room_is_counted() -> None:
    go, done = threading.Event(), []

    def work(items: list[int]) -> None:
        assert go.wait(60)
        done.extend(items)

    aside: Aside[int] = Aside("t", work, 10)
    for number in range(25):
        aside.put([number])  # returns although nothing gets done
    assert done == []
    assert aside.lost == 15
    go.set()
    aside.close()
    assert done == list(range(10))


def test_what_has_not_moved_at_the_end_is_given_up() -> None:
    go = threading.Event()

    def waits(_: list[int]) -> None:
        go.wait(60)

    aside: Aside[int] = Aside("t", waits, 10)
    aside.put(range(4))
    aside.close(patience_s=0.05)
    assert aside.lost == 4
    go.set()


def test_what_the_work_raises_is_kept_for_the_owner_and_ends_it() -> None:
    def work(items: list[int]) -> None:
        raise BrokenPipeError(32, "nobody reads")

    aside: Aside[int] = Aside("t", work, 10)
    aside.put([1, 2])
    aside.close()
    aside.put([3])
    assert isinstance(aside.error, BrokenPipeError)
    assert aside.lost == 3


def test_who_rests_works_on_what_came_meanwhile_together_and_is_woken_by_the_end() -> None:
    calls: list[list[int]] = []
    first = threading.Event()

    def work(items: list[int]) -> None:
        calls.append(items)
        first.set()

    aside = Aside("rests", work, 10, rest_s=600.0)
    aside.put([0])
    assert first.wait(10)
    for one in range(1, 10):
        aside.put([one])
    aside.close(10)
    assert [one for items in calls for one in items] == list(range(10))
    assert len(calls) <= 3  # the second one where it had not begun to rest yet
    assert aside.lost == 0
