"""What a step of the signal path finds, and the halves of one that two threads take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from ecg import beside
from ecg.signal.beats import Beats
from ecg.signal.chunks import Chunks
from ecg.signal.slots import Index

NOTHING: Final = np.zeros((0, 2), np.int64)
"""Nothing witnessed."""
MANY: Final = 16384
"""Samples from which on two threads take them: a millisecond's work."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What one step finds.

    beats: of all leads; a beat of a bed has one row for each of its leads, with the same `at`. witnessed: R-peaks
    that leads which follow have found for themselves, (slot, index): int64 [m, 2], sorted; index at the own rate.
    """

    beats: Beats
    witnessed: Index


def joined(found: list[Found]) -> Found:
    """What several groups of leads have found."""
    witnessed = [one.witnessed for one in found if len(one.witnessed)]
    rows = np.concatenate(witnessed) if witnessed else NOTHING
    return Found(
        beats=Beats.join([one.beats for one in found if len(one.beats)]),
        witnessed=rows[np.lexsort((rows[:, 1], rows[:, 0]))] if len(witnessed) > 1 else rows,
    )


def in_halves(
    work: Callable[[Index, Index, Chunks], Found], slots: Index, follows: Index, chunks: Chunks
) -> list[Found]:
    """What `work` makes of leads, or of half of the beds in this thread and of the others in the second one."""
    half = _half(slots, follows, chunks)
    if not half:
        return [work(slots, follows, chunks)]
    first, second = chunks.split(half)
    others = beside.begun(partial(work, slots[half:], follows[half:], second))
    try:
        found = work(slots[:half], follows[:half], first)
    finally:
        rest = others()
    return [found, rest]


def _half(slots: Index, follows: Index, chunks: Chunks) -> int:
    """How many of these leads one thread takes, so that another may take the rest; 0 where that does not pay.

    No bed may have leads among both.
    """
    half = len(slots) // 2
    if not half or chunks.edges[-1] < MANY or beside.cores() == 1:
        return 0
    half += int(follows[half] == follows[half - 1])
    if half == len(slots) or np.intersect1d(follows[:half], follows[half:]).size:
        return 0
    return half
