"""Looks at one signal of many beds: every half second the last eight, brought down to about 60 Hz.

Samples are averaged in blocks of a whole number; of each block its mean is kept, and how far its samples spread.
Everything is counted in samples since the bed's reset: looks do not depend on chunks or company.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import compiled
from ecg.signal.chunks import Signals
from ecg.signal.slots import Side, SlotArrays, State, alike_rows

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
    """Looks at some beds, sorted by slot, each slot's in order of time. slots, index: int64 [n], the bed and the last
    sample looked at.

    means, spreads: float64 [n, blocks], zeros before the first sample. blocks: int64 [n], how many are known.
    rate: float64 [n], blocks a second.
    """

    slots: Slots
    index: NDArray[np.int64]
    means: Floats
    spreads: Floats
    blocks: NDArray[np.int64]
    rate: Floats

    def __len__(self) -> int:
        return len(self.slots)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Look:
        """The chosen ones, by position or mask."""
        return Look(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @staticmethod
    def join(parts: list[Look], length: int) -> Look:
        """Those of several groups of beds, each bed's in order. length: blocks in each."""
        if not parts:
            none, nothing = np.zeros(0, np.int64), np.zeros((0, length))
            return Look(none, none, nothing, nothing, none, np.zeros(0))
        whole = parts[0]
        if len(parts) > 1:
            whole = Look(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Look)))
        elif (whole.slots[1:] >= whole.slots[:-1]).all():
            return whole
        return whole.take(np.lexsort((whole.index, whole.slots)))


def block(rate: float) -> int:
    """Samples in one block."""
    return max(round(rate / LOOK_RATE), 1)


class Looks(SlotArrays):
    """One signal of `slots` beds. state: dict of arrays [slots, ...]. window: blocks that are kept for a look."""

    ELASTIC: ClassVar[dict[str, Side]] = {"rest": "back"}

    def __init__(self, slots: int, window: int = WINDOW) -> None:
        self.window = window
        super().__init__(slots)

    def fresh(self, slots: int) -> State:
        """State of `slots` beds that have heard nothing. rest: samples of an unfinished block."""
        return {
            "rate": np.full(slots, 360.0),
            "block": np.full(slots, block(360.0)),
            "begin": np.zeros(slots, np.int64),
            "seen": np.zeros(slots, np.int64),
            "rest": np.zeros((slots, block(360.0) - 1), np.float32),
            "means": np.zeros((slots, self.window)),
            "spreads": np.zeros((slots, self.window)),
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

    def step(self, slots: Slots, chunks: Signals) -> Look:
        """The looks that the slots' next samples make due, at the last `window` blocks.

        A slot stands in `slots` at most once; chunks may have different lengths, and hold no NaN.
        """
        state, length = self.state, self.window
        if fast := compiled.kernels():
            where, index, means, spreads, blocks = fast.looks(state, slots, chunks, HOP, length)
            return Look(where, index, means, spreads, blocks, state["rate"][where] / state["block"][where])
        lengths = np.array([len(chunk) for chunk in chunks], np.int64)
        seen = state["seen"][slots] - state["begin"][slots]
        alike = np.stack((state["rate"][slots], lengths, seen % state["block"][slots]), axis=1)
        found: list[Look] = []
        for members in alike_rows(alike):
            if lengths[members[0]]:
                self._advance(slots[members], np.stack([chunks[i] for i in members]), found)
        return Look.join(found, length)

    def _advance(self, slots: Slots, signal: NDArray[np.float32], found: list[Look]) -> None:
        """Beds with the same rate and chunk length, at the same place within a block: their looks go to `found`."""
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
        high = low = pieces[:, :, 0]
        for place in range(size):  # one after the other, so that no library sums them in another order
            piece = pieces[:, :, place]
            sums += piece
            high, low = np.maximum(high, piece), np.minimum(low, piece)
        means = np.concatenate((state["means"][slots], sums / size), axis=1)
        spreads = np.concatenate((state["spreads"][slots], high - low), axis=1)
        state["means"][slots] = means[:, -self.window :]
        state["spreads"][slots] = spreads[:, -self.window :]
        ends = (HOP - done % HOP)[:, None] + HOP * np.arange(count // HOP + 1)
        rows, turns = np.nonzero(ends <= count)
        if not len(rows):
            return
        end = ends[rows, turns]
        take = rows[:, None], end[:, None] + np.arange(self.window)
        known = done[rows] + end
        index = begin[rows] + known * size - 1
        found.append(Look(slots[rows], index, means[take], spreads[take], known, np.full(len(rows), rate / size)))
