"""Looks at one signal of many beds: every half second the last eight, brought down to about 60 Hz.

Samples are averaged in blocks of a whole number; of each block its mean is kept, and how far its samples spread.
Everything is counted in samples since the bed's reset: looks do not depend on chunks or company.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal.slots import Side, SlotArrays, State

LOOK_RATE: Final = 60.0
"""Hz, about."""
WINDOW: Final = 480
"""Blocks in one look (8 s)."""
HALF: Final = 240
"""Blocks that most is told from (4 s)."""
HOP: Final = 30
"""Blocks between two looks."""

Floats = NDArray[np.float64]
Slots = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at some beds at once. slots, index: int64 [n], the bed and the last sample looked at.

    means, spreads: float64 [n, WINDOW], zeros before the first sample. blocks: int64 [n], how many are known.
    rate: blocks a second.
    """

    slots: Slots
    index: NDArray[np.int64]
    means: Floats
    spreads: Floats
    blocks: NDArray[np.int64]
    rate: float


def block(rate: float) -> int:
    """Samples in one block."""
    return max(round(rate / LOOK_RATE), 1)


class Looks(SlotArrays):
    """One signal of `slots` beds. state: dict of arrays [slots, ...]."""

    ELASTIC: ClassVar[dict[str, Side]] = {"rest": "back"}

    def fresh(self, slots: int) -> State:
        """State of `slots` beds that have heard nothing. rest: samples of an unfinished block."""
        return {
            "rate": np.full(slots, 360.0),
            "block": np.full(slots, block(360.0)),
            "begin": np.zeros(slots, np.int64),
            "seen": np.zeros(slots, np.int64),
            "rest": np.zeros((slots, block(360.0) - 1), np.float32),
            "means": np.zeros((slots, WINDOW)),
            "spreads": np.zeros((slots, WINDOW)),
            "usual": np.zeros(slots),
        }

    def reset(self, slots: Slots, rates: Floats, start: NDArray[np.int64]) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz."""
        blocks = np.array([block(float(rate)) for rate in rates], np.int64)
        self.widen("rest", int(blocks.max(initial=1)) - 1)
        self.clear(slots)
        self.state["block"][slots] = blocks
        self.state["rate"][slots] = rates
        self.state["begin"][slots] = self.state["seen"][slots] = start

    def step(self, slots: Slots, chunks: list[NDArray[np.float32]]) -> Iterator[Look]:
        """The looks that each slot's next samples make due, a slot's in order of time.

        A slot stands in `slots` at most once; chunks may have different lengths, and hold no NaN.
        """
        state = self.state
        lengths = np.array([len(chunk) for chunk in chunks], np.int64)
        seen = state["seen"][slots] - state["begin"][slots]
        alike = np.stack((state["rate"][slots], lengths, seen % state["block"][slots]), axis=1)
        keys, group = np.unique(alike, axis=0, return_inverse=True)
        for number in range(len(keys)):
            members = np.flatnonzero(group.reshape(-1) == number)
            if lengths[members[0]]:
                yield from self._advance(slots[members], np.stack([chunks[i] for i in members]))

    def _advance(self, slots: Slots, signal: NDArray[np.float32]) -> Iterator[Look]:
        """Beds with the same rate and chunk length, at the same place within a block."""
        state = self.state
        rate, begin, size = float(state["rate"][slots[0]]), state["begin"][slots], int(state["block"][slots[0]])
        first = state["seen"][slots] - begin
        state["seen"][slots] += signal.shape[1]
        over, done = int(first[0] % size), first // size
        joined = np.concatenate((state["rest"][slots, :over], signal), axis=1)
        count = joined.shape[1] // size
        state["rest"][slots, : joined.shape[1] - count * size] = joined[:, count * size :]
        if count == 0:
            return
        pieces = joined[:, : count * size].reshape(len(slots), count, size)
        sums = np.zeros((len(slots), count))
        for place in range(size):  # one after the other, so that no library sums them in another order
            sums += pieces[:, :, place]
        means = np.concatenate((state["means"][slots], sums / size), axis=1)
        spreads = np.concatenate((state["spreads"][slots], np.ptp(pieces, axis=2)), axis=1)
        state["means"][slots] = means[:, -WINDOW:]
        state["spreads"][slots] = spreads[:, -WINDOW:]
        ends = HOP - done % HOP
        while True:
            rows = np.flatnonzero(ends <= count)
            if len(rows) == 0:
                return
            end = ends[rows]
            ends = ends + HOP
            take = rows[:, None], end[:, None] + np.arange(WINDOW)
            known = done[rows] + end
            yield Look(slots[rows], begin[rows] + known * size - 1, means[take], spreads[take], known, rate / size)
