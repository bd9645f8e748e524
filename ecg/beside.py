"""Work in a second thread beside this one's, where there is a core for it.

What both do is compiled and leaves Python's lock alone, so together they take the time of the longer one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import Any, Final, TypeVar

Made = TypeVar("Made")
Answer = SimpleQueue[tuple[Any, BaseException | None]]
NAME: Final = "beside"
"""Of the thread, of which there is one in a process."""


class _Limit:
    """Cores that this process has been told to keep to."""

    cores: int | None = None


def cores() -> int:
    """Cores that this process may use."""
    return _Limit.cores or _available()


def keep_to(count: int) -> None:
    """So many cores from now on: others of its kind have the rest of the machine."""
    _Limit.cores = count


def begun(work: Callable[[], Made]) -> Callable[[], Made]:
    """The work begins in the second thread; returns what waits for its end, and gives or raises what came of it.

    Work that is begun before another has ended waits for that. Worth a millisecond: asking takes some 20 microseconds.
    """
    answer: Answer = SimpleQueue()
    _asked().put((work, answer))

    def wait() -> Made:
        made, error = answer.get()
        if error is not None:
            raise error
        return made  # type: ignore[no-any-return]

    return wait


@cache
def _available() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _asked() -> SimpleQueue[tuple[Callable[[], Any], Answer]]:
    """To the one thread, from everybody in this process."""
    asked: SimpleQueue[tuple[Callable[[], Any], Answer]] = SimpleQueue()
    threading.Thread(target=_work, args=(asked,), name=NAME, daemon=True).start()
    return asked


def _work(asked: SimpleQueue[tuple[Callable[[], Any], Answer]]) -> None:
    while True:
        work, answer = asked.get()
        try:
            answer.put((work(), None))
        except BaseException as error:  # whatever it is, it belongs to whoever asked
            answer.put((None, error))
        del work, answer  # nothing is kept alive until the next question
