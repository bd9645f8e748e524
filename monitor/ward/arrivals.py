"""When the last chunks of each bed were sent and received: a beat's latency is that of the chunk it needed."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.ward.pieces import Block

KEPT: Final = 64
"""Chunks of a bed that are remembered."""
NEVER: Final = -1
LATEST: Final = int(np.iinfo(np.int64).max)

Index = NDArray[np.int64]


class Arrivals:
    """The last chunks of `slots` beds.

    came: index after the chunk, sent ns and received ns: int64 [slots, KEPT, 3], each bed's a ring. counts: chunks that
    have come since the bed's stream began: int64 [slots].
    """

    def __init__(self, slots: int) -> None:
        self.came = np.zeros((slots, KEPT, 3), np.int64)
        self.came[:, :, 0] = NEVER
        self.counts = np.zeros(slots, np.int64)

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their chunks."""
        more = Arrivals(slots - len(self.counts))
        self.came = np.concatenate((self.came, more.came))
        self.counts = np.concatenate((self.counts, more.counts))

    def clear(self, slot: int) -> None:
        """Another stream begins, or another bed."""
        self.came[slot] = NEVER, 0, 0
        self.counts[slot] = 0

    def add(self, slot: int, block: Block) -> None:
        """The next chunk of a bed."""
        count = int(self.counts[slot])
        self.came[slot, count % KEPT] = block.index + len(block), min(block.sent_ns, LATEST), block.received_ns
        self.counts[slot] = count + 1

    def of(self, slots: Index, ready: Index) -> tuple[Index, Index]:
        """(sent ns, received ns) of the chunks that brought samples `ready` [k] of these beds: int64 [k] each.

        Of a sample that is not here yet it is the newest chunk, of one that came too long ago the oldest one kept.
        """
        ends = self.came[slots, :, 0]
        places = np.where(ends > ready[:, None], ends, LATEST).argmin(axis=1)
        rows = np.arange(len(slots))
        newest = (self.counts[slots] - 1) % KEPT
        places = np.where(ends[rows, places] > ready, places, newest)
        return self.came[slots, places, 1], self.came[slots, places, 2]
