"""Arrivals that need no reading one by one: those of beds on the ward's quick lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import compress
from typing import Final

from monitor.service.connection import Arrival
from monitor.service.overload import Lag
from monitor.ward.ward import Ward

OF_MANY: Final = "/_producer/"
"""In the topic of what concerns many beds: it is to be read after all that came before it."""


class Express:
    """place: (bed, kind) of a topic, None where it names no bed."""

    def __init__(self, ward: Ward, lag: Lag, place: Callable[[str], tuple[str, str] | None]) -> None:
        self._ward, self._lag, self._place = ward, lag, place

    def left(self, arrivals: list[Arrival]) -> Iterator[Arrival]:
        """Messages that are to be read one by one, in order; the others have been taken by then.

        Whoever iterates must have read one when it asks for the next. Messages of one bed keep their order: behind one
        that is to be read none is taken.
        """
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
        taken = self._ward.quickly([one.payload for one in arrivals], slots, [one.received_ns for one in arrivals])
        return (one for one, known in zip(arrivals, taken, strict=True) if not known) if not all(taken) else iter(())

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
