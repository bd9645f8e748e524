"""Messages as they came, one by one or many together in the bytes that they came in."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.wire.topics import readable

MOST_TOPICS: Final = 1 << 16
FIRST_TOPICS: Final = 256
NOT_KNOWN: Final = -1
NOT_UTF8: Final = "(a topic that is not UTF-8)"


class Arrival(NamedTuple):
    """One message as it came. received_ns: since the epoch, by the steady clock (`ecg.clock`)."""

    topic: str
    payload: bytes
    retained: bool
    received_ns: int


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


def named(raw: bytes) -> str:
    """A topic as text, of an odd one what may be shown of it."""
    try:
        return readable(raw.decode())
    except UnicodeDecodeError:
        return NOT_UTF8
