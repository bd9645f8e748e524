"""A stream of packets taken apart by compiled kernels, where there are any: ten times as quickly as by Python."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import compiled
from ecg.signal.compiled import Kernels
from ecg.wire.lots import Lot, TopicTable
from ecg.wire.packets import LONGEST_KNOWN, Splitter, Taken

LEAST_BYTES: Final = 4096
"""Fewer are taken apart by Python: a call costs as much."""
FIRST_BYTES: Final = 1 << 17


class LotSplitter(Splitter):
    """Packets out of a stream of bytes, the messages of long ones in lots."""

    def __init__(self) -> None:
        super().__init__()
        self._kernels: Kernels | None = compiled.kernels()
        self.table = TopicTable()
        self._room = _room(0)

    def _packets(self, data: bytes, received_ns: int) -> tuple[Taken, int, int]:
        if self._kernels is None or len(data) < LEAST_BYTES:
            return super()._packets(data, received_ns)
        if len(data) > len(self._room[2]):
            self._room = _room(len(data))
        topics = self.table
        told = self._kernels.split(data, topics.known, topics.starts, topics.texts, self._room)
        messages, confirmed, answered, other, at, stop, wrong = told
        if wrong:
            return super()._packets(data, received_ns)  # says what
        found, numbers, answers, others = self._room
        found = found[:messages]
        if not self._all_known(data, found):
            return super()._packets(data, received_ns)
        lot = Lot(data, found[:, :4].copy(), received_ns, self.table) if messages else None
        rest = b"".join([data[begin:end] for begin, end in others[:other].tolist()])
        return Taken([], numbers[:confirmed].tolist(), answers[:answered].tobytes(), rest, lot), at, stop

    def _all_known(self, data: bytes, found: NDArray[np.int64]) -> bool:
        """Give every topic a number; False where some are too long, or all too many for one table."""
        fresh: dict[bytes, int] = {}
        for row in np.flatnonzero(found[:, 0] < 0).tolist():
            begin, end, hashed = found[row, 4:].tolist()
            raw = data[begin:end]
            if len(raw) > LONGEST_KNOWN:  # strangers may use many and long ones
                return False
            if self.table.full:
                self.table = TopicTable()
                return False
            if raw not in fresh:
                fresh[raw] = self.table.add(raw, hashed)
            found[row, 0] = fresh[raw]
        return True


def _room(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    """Room for what so many bytes may hold: of the shortest packets of each kind."""
    size = max(size, FIRST_BYTES)
    return (
        np.empty((size // 4 + 1, 7), np.int64),
        np.empty(size // 4 + 1, np.int64),
        np.empty(size, np.uint8),
        np.empty((size // 2 + 1, 2), np.int64),
    )
