"""The network in a thread of its own, while this one hears the signs in the same signal: neither knows of the other.

What both do is compiled and leaves Python's lock alone, so with a second core a step of many beds is shorter by the
smaller of the two. Beats and alarms are the same: the network's verdicts are waited for before anything is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from ecg.signal.beats import Beats
from monitor.inference.engine import Engine, Verdicts

FEWEST: Final = 24
"""Rows of beats from which on a second thread pays: half a millisecond's work."""


@cache
def _helper() -> ThreadPoolExecutor:
    """The one thread, of all wards of this process."""
    return ThreadPoolExecutor(1, "network")


@cache
def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def begun(engine: Engine, beats: Beats) -> Callable[[], Verdicts]:
    """The network begins to read these beats; returns what waits for its verdicts.

    It must be called before anything else is asked of the engine. Few beats, those of a machine with one core and
    those of a GPU, whose passes this thread must start itself, are read when it is called.
    """
    if len(beats) < FEWEST or _cores() == 1 or engine.device != "cpu":
        return lambda: engine.infer(beats)
    return _helper().submit(engine.infer, beats).result
