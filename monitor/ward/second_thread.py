"""The network in a thread of its own, while this one hears the signs in the same signal: neither knows of the other.

What both do is compiled and leaves Python's lock alone, so with a second core a step of many beds is shorter by the
smaller of the two. Beats and alarms are the same: the network's verdicts are waited for before anything is told.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import Final, NamedTuple

from ecg.signal.beats import Beats
from monitor.inference.engine import Engine, Verdicts

FEWEST: Final = 64
"""Rows of beats from which on a second thread pays: a millisecond's work."""

Answer = SimpleQueue[Verdicts | BaseException]


class _Asked(NamedTuple):
    engine: Engine
    beats: Beats
    answer: Answer


def begun(engine: Engine, beats: Beats) -> Callable[[], Verdicts]:
    """The network begins to read these beats; returns what waits for its verdicts.

    It must be called before anything else is asked of the engine. Few beats, those of a machine with one core and
    those of a GPU, whose passes this thread must start itself, are read when it is called.
    """
    if len(beats) < FEWEST or _cores() == 1 or engine.device != "cpu":
        return lambda: engine.infer(beats)
    answer: Answer = SimpleQueue()
    _questions().put(_Asked(engine, beats, answer))

    def wait() -> Verdicts:
        said = answer.get()
        if isinstance(said, BaseException):
            raise said
        return said

    return wait


@cache
def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _questions() -> SimpleQueue[_Asked]:
    """To the one thread, of all wards of this process."""
    asked: SimpleQueue[_Asked] = SimpleQueue()
    threading.Thread(target=_read, args=(asked,), name="network", daemon=True).start()
    return asked


def _read(asked: SimpleQueue[_Asked]) -> None:
    while True:
        engine, beats, answer = asked.get()
        try:
            answer.put(engine.infer(beats))
        except BaseException as error:  # whatever it is, it belongs to whoever asked
            answer.put(error)
        del engine, beats, answer  # nothing is kept alive until the next question
