"""The network in a thread of its own, while this one hears the signs in the same signal: neither knows of the other.

With a second core a step of many beds is shorter by the smaller of the two. Beats and alarms are the same: the
network's verdicts are waited for before anything is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ecg import beside
from ecg.signal.beats import Beats
from monitor.inference.engine import Engine, Verdicts

FEWEST: Final = 96
"""Rows of beats from which on a second thread pays: a millisecond's work."""


def begun(engine: Engine, beats: Beats) -> Callable[[], Verdicts]:
    """The network begins to read these beats; returns what waits for its verdicts.

    It must be called before anything else is asked of the engine. Few beats, those of a machine with one core and
    those of a GPU, whose passes this thread must start itself, are read when it is called.
    """
    if len(beats) < FEWEST or beside.cores() == 1 or engine.device != "cpu":
        return lambda: engine.infer(beats)
    return beside.begun(lambda: engine.infer(beats))
