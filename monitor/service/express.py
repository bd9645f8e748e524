"""Arrivals that need no reading one by one: those of beds on the ward's quick lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.wire.lots import Lot, TopicTable
from monitor.service.connection import Arrival
from monitor.service.fresh import Chunk
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
        if isinstance(chunk, Lot):
            yield from self._left_of(chunk)
            return
        arrivals = chunk
        while arrivals:
            slots = self._slots(arrivals)
            end = len(arrivals)
            if min(slots) < 0:
                many = (at for at, slot in enumerate(slots, 1) if slot < 0 and OF_MANY in arrivals[at - 1].topic)
                end = next(many, end)
            some, arrivals, slots = arrivals[:end], arrivals[end:], slots[:end]
            if max(slots) < 0:
                yield from some
            elif min(slots) < 0 or self._lag.left:
                yield from self._sorted(some, slots)
            else:
                yield from self._others(some, slots)

    def _slots(self, arrivals: list[Arrival]) -> list[int]:
        """The slots of the beds whose signal these are, on the quick lane; -1 for others."""
        slot_of = self._ward.quick.slot_of
        return [slot_of.get(one.topic, -1) for one in arrivals] if slot_of else [-1] * len(arrivals)

    def _others(self, arrivals: list[Arrival], slots: list[int]) -> Iterator[Arrival]:
        """Take what can be taken; what cannot."""
        batch = Batch.of([one.payload for one in arrivals], slots, [one.received_ns for one in arrivals])
        taken = self._ward.quickly(batch).tolist()
        return (one for one, known in zip(arrivals, taken, strict=True) if not known) if not all(taken) else iter(())

    def _left_of(self, lot: Lot) -> Iterator[Arrival]:
        """`left`, of messages that are still in the bytes they came in."""
        table, data = lot.table, lot.data
        slots = self._numbered(lot.topics)[table[:, 0]]
        quick = slots >= 0
        if not quick.any():
            yield from self.left(lot.arrivals())
            return
        for name in self._lag.left:
            self._stop(name, slots, quick, 0)
        for row in np.flatnonzero(slots < 0).tolist():
            topic = lot.topics.names[table[row, 0]]
            if OF_MANY in topic and row + 1 < len(table):
                yield from self._left_of(lot._replace(table=table[: row + 1]))
                yield from self._left_of(lot._replace(table=table[row + 1 :]))
                return
            if (place := self._place(topic)) is not None:
                self._stop(place[0], slots, quick, row)
        taken, rows = quick.copy(), np.flatnonzero(quick)
        received_ns = np.full(len(rows), lot.received_ns, np.int64)
        taken[rows] = self._ward.quickly(Batch(data, table[rows, 1], table[rows, 2], slots[rows], received_ns))
        if not taken.all():
            yield from lot._replace(table=table[~taken]).arrivals()

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

    def _sorted(self, arrivals: list[Arrival], slots: list[int]) -> Iterator[Arrival]:
        """The same among messages of other kinds, and while some beds' messages are forgone."""
        stopped = {bed.slot for name in self._lag.left if (bed := self._ward.beds.get(name)) is not None}
        quick = []
        for one, slot in zip(arrivals, slots, strict=True):
            place = self._place(one.topic) if slot < 0 else None
            if place is not None and (bed := self._ward.beds.get(place[0])) is not None:
                stopped.add(bed.slot)
            quick.append(slot >= 0 and slot not in stopped)
        left = set(map(id, self._others([*compress(arrivals, quick)], [*compress(slots, quick)])))
        return (one for one, known in zip(arrivals, quick, strict=True) if not known or id(one) in left)
