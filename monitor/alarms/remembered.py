"""What is remembered of each bed beside its leads' looks and beats, and the sign that is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal.slots import State
from monitor.alarms.state import Sign

LEADS: Final = ("lead", "second")
"""Each bed has a row for either, one behind the other."""
SHOWN: Final = ("fibrillation", "unsteady", "tachycardia", "still", "alive", "brisk", "noisy", "second", "run")
"""What half-second looks decide."""
FAULTS: Final = ("faults", "faults_second")
"""And why each lead cannot be analysed."""

FLAG_NAMES: Final = (*SHOWN, "lead_off")
NUMBERS: Final = (
    "hits",
    "misses",
    "wild",
    "heard",
    "quiet",
    "ended",
    "since",
    "onset",
    "held",
    "run_since",
    "steady",
    *FAULTS,
)


def new_state(beds: int) -> State:
    """State of beds that have heard nothing."""
    counts: State = {name: np.zeros(beds, np.int64) for name in NUMBERS}
    return counts | {name: np.zeros(beds, bool) for name in FLAG_NAMES}


def sign_of(index: int, told: list[Any]) -> Sign:
    """A sign from its numbers, in the order of its fields."""
    wave, unsteady, off, onset, fast, still, alive, brisk, noisy, second, run, faults, faults_second, steady = told
    return Sign(
        index,
        bool(wave),
        bool(unsteady),
        bool(off),
        int(onset),
        bool(fast),
        int(still),
        bool(alive),
        bool(brisk),
        bool(noisy),
        bool(second),
        int(run),
        int(faults),
        int(faults_second),
        int(steady),
    )


def as_rows(signs: Sequence[tuple[int, Sign]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Slots [n] and their signs as numbers [n, 15], in the order of their fields."""
    rows = [[int(getattr(sign, field)) for field in Sign.__struct_fields__] for _, sign in signs]
    wide = np.array(rows, np.int64).reshape(len(rows), len(Sign.__struct_fields__))
    return np.array([slot for slot, _ in signs], np.int64), wide


def as_signs(slots: NDArray[np.int64], rows: NDArray[np.int64]) -> list[tuple[int, Sign]]:
    """What `as_rows` was given."""
    return [(slot, sign_of(index, told)) for slot, (index, *told) in zip(slots.tolist(), rows.tolist(), strict=True)]
