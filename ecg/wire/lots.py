"""Many messages that came together, left in the bytes that they came in: who wants one takes it out.

Where there are compiled kernels (`ecg.signal.compiled`), these take packets apart ten times as quickly as Python. A
few bytes are not worth the call.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.signal import compiled
from ecg.signal.compiled import Kernels
from ecg.wire.packets import LONGEST_KNOWN, NOT_UTF8, Arrival, Splitter, Taken
from ecg.wire.topics import LONGEST_SHOWN, readable

LEAST_BYTES: Final = 4096
"""Fewer are taken apart by Python."""
FIRST_BYTES: Final = 1 << 17
MOST_TOPICS: Final = 1 << 16
FIRST_TOPICS: Final = 256
NOT_KNOWN: Final = -1


class TopicTable:
    """Numbers of topics: those of one table never change. names: by number.

    known, starts, texts: see `ecg.signal.kernels.splitting.split`.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.texts = np.empty(FIRST_TOPICS * 32, np.uint8)
        self.starts = np.zeros(FIRST_TOPICS + 1, np.int64)
        self.known = np.full((4 * FIRST_TOPICS, 2), NOT_KNOWN, np.int64)
        self._hashes: list[int] = []

    @property
    def full(self) -> bool:
        """Is there no room for more?."""
        return len(self.names) >= MOST_TOPICS

    def add(self, raw: bytes, hashed: int) -> int:
        """The number of a topic that is not known."""
        number = len(self.names)
        if number + 2 > len(self.starts):
            self._grow()
        begin = int(self.starts[number])
        end = begin + len(raw)
        if end > len(self.texts):
            self.texts = np.concatenate([self.texts, np.empty(max(len(self.texts), len(raw)), np.uint8)])
        self.texts[begin:end] = np.frombuffer(raw, np.uint8)
        self.starts[number + 1] = end
        self._hashes.append(hashed)
        self._place(hashed, number)
        self.names.append(named(raw))
        return number

    def _grow(self) -> None:
        room = 2 * len(self.known)
        self.starts = np.concatenate([self.starts, np.zeros(len(self.starts) - 1, np.int64)])
        self.known = np.full((room, 2), NOT_KNOWN, np.int64)
        for number, hashed in enumerate(self._hashes):
            self._place(hashed, number)

    def _place(self, hashed: int, number: int) -> None:
        known, mask = self.known, len(self.known) - 1
        place = hashed & mask
        while known[place, 1] >= 0:
            place = (place + 1) & mask
        known[place] = hashed, number


class Lot(NamedTuple):
    """Messages in the order in which they came.

    data: the bytes of all of them. table: int64 [messages, 4], of each the number of its topic in `topics`, where its
    payload begins and ends, and whether it was retained. received_ns: as of an `Arrival`.
    """

    data: bytes
    table: NDArray[np.int64]
    received_ns: int
    topics: TopicTable

    def arrivals(self) -> list[Arrival]:
        """The same as messages, one by one."""
        data, names, received_ns = self.data, self.topics.names, self.received_ns
        return [
            Arrival(names[number], data[begin:end], bool(retained), received_ns)
            for number, begin, end, retained in self.table.tolist()
        ]


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


def named(raw: bytes) -> str:
    """A topic as text, of an odd one what may be shown of it."""
    try:
        topic = raw.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return topic if len(topic) <= LONGEST_SHOWN and topic.isprintable() else readable(topic)
