"""Arrivals that need no reading one by one: those of beds on the ward's quick lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.wire.lots import Lot, TopicTable
from monitor.service.connection import Arrival
from monitor.service.fresh import Chunk, messages_of, part_of, topic_of
from monitor.service.overload import Lag
from monitor.ward.quick_lane import Batch
from monitor.ward.ward import Ward

Index = NDArray[np.int64]
OF_MANY: Final = "/_producer/"
"""In the topic of what concerns many beds: it is to be read after all that came before it."""


class Express:
    """place: (bed, kind) of a topic, None where it names no bed."""

    def __init__(self, ward: Ward, lag: Lag, place: Callable[[str], tuple[str, str] | None]) -> None:
        self._ward, self._lag, self._place = ward, lag, place
        self._topics: TopicTable | None = None
        self._numbers: dict[str, int] = {}
        self._slot_of = np.zeros(0, np.int64)
        self._asked = 0, 0

    def left(self, chunk: Chunk) -> Iterator[Arrival]:
        """Messages that are to be read one by one, in order; the others have been taken by then.

        Whoever iterates must have read one when it asks for the next. Messages of one bed keep their order: behind one
        that is to be read none is taken.
        """
        slots = self._slots(chunk)
        quick = slots >= 0
        if not quick.any():
            yield from messages_of(chunk)
            return
        for name in self._lag.left:
            self._stop(name, slots, quick, 0)
        for row in np.flatnonzero(slots < 0).tolist():
            topic = topic_of(chunk, row)
            if OF_MANY in topic and row + 1 < len(slots):
                yield from self.left(part_of(chunk, 0, row + 1))
                yield from self.left(part_of(chunk, row + 1, len(slots)))
                return
            if (place := self._place(topic)) is not None:
                self._stop(place[0], slots, quick, row)
        taken, rows = quick.copy(), np.flatnonzero(quick)
        taken[rows] = self._ward.quickly(_batch(chunk, rows, slots[rows]))
        if not taken.all():
            yield from messages_of(chunk, ~taken)

    def _slots(self, chunk: Chunk) -> Index:
        """The slots of the beds whose signal these are, on the quick lane; -1 for others: int64 [messages]."""
        if isinstance(chunk, Lot):
            return self._numbered(chunk.topics)[chunk.table[:, 0]]
        slot_of = self._ward.quick.slot_of
        return np.array([slot_of.get(one.topic, -1) for one in chunk], np.int64)

    def _stop(self, name: str, slots: Index, quick: NDArray[np.bool_], row: int) -> None:
        """From this row on no message of the bed is to be taken."""
        bed = self._ward.beds.get(name)
        if bed is not None:
            quick[row:] &= slots[row:] != bed.slot

    def _numbered(self, topics: TopicTable) -> Index:
        """The slots of beds on the quick lane, -1 for others, by the number of their topic."""
        quick = self._ward.quick
        if topics is not self._topics:
            self._topics, self._numbers, self._asked = topics, {}, (0, 0)
        asked = quick.version, len(topics.names)
        if asked != self._asked:
            for number in range(self._asked[1], asked[1]):
                self._numbers.setdefault(topics.names[number], number)
            self._asked = asked
            self._slot_of = np.full(asked[1], -1, np.int64)
            for key, slot in quick.slot_of.items():
                if (number_of := self._numbers.get(key)) is not None:
                    self._slot_of[number_of] = slot
        return self._slot_of


def _batch(chunk: Chunk, rows: Index, slots: Index) -> Batch:
    """These messages, each of the bed of that slot."""
    if isinstance(chunk, Lot):
        received_ns = np.full(len(rows), chunk.received_ns, np.int64)
        return Batch(chunk.data, chunk.table[rows, 1], chunk.table[rows, 2], slots, received_ns)
    some = [chunk[row] for row in rows.tolist()]
    return Batch.of([one.payload for one in some], slots, [one.received_ns for one in some])
