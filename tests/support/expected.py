"""The beats that a record has, for tests that run the programs."""

from __future__ import annotations

import numpy as np

from ecg.records import library
from ecg.signal.path import SignalPath


def expected_beats() -> list[int]:
    """R-peaks of the excerpt as the signal path finds them offline."""
    record = library.read("excerpt")
    path, slot = SignalPath(1), np.zeros(1, np.int64)
    path.reset(slot, np.array([record.rate]), slot)
    return [*path.step(slot, [record.millivolts(0)]).index.tolist(), *path.finish(slot).index.tolist()]
