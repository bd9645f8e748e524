"""What the monitor makes of each bed's signal, as retained messages: published where something has changed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec.structs import replace

from ecg.wire.messages import SCHEMA, Alarms, BedState, encode_json
from ecg.wire.topics import Kind, Topics
from monitor.service.alarm_book import AlarmBook
from monitor.service.connection import Outgoing
from monitor.ward.admission import GONE
from monitor.ward.bed import Bed
from monitor.ward.lead_states import lead_states, signal_of
from monitor.ward.limits import in_force, own_of
from monitor.ward.ward import Ward

AT_A_TIME: Final = 64
PARTS: Final = 16
"""Beds that are looked at in one go: so many, or such a part of a larger ward."""
FORGOTTEN: Final[tuple[Kind, ...]] = ("alarm", "state")


class Burden(NamedTuple):
    """Alarms of one bed. total, last_hour: raised, by priority. held: held back since its stream began."""

    bed: str
    total: dict[str, int]
    last_hour: dict[str, int]
    held: int


class BedStates:
    """The states of a ward's beds. monitor: its id. book: their alarm logs. now_s: the ward's clock.

    waiting: beds that `some` is to look at.
    """

    def __init__(
        self, ward: Ward, topics: Topics, monitor: str, book: AlarmBook, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._book, self._now_s = book, now_s
        self._forgotten: set[str] = set()
        self._ward, self._topics, self._monitor = ward, topics, monitor
        self._told: dict[str, BedState] = {}
        self.waiting: deque[str] = deque()

    def due(self) -> list[Outgoing]:
        """Messages of the beds whose state is another than when it was told last.

        Of a bed that has been gone for long the broker keeps neither state nor alarm; once it is back, both.
        """
        self.begin()
        made = self.some()
        while self.waiting:
            made += self.some()
        return made

    def begin(self) -> None:
        """From now on `some` looks at every bed once, a few at a time: all of a full ward at once would hold it up."""
        self.waiting = deque(self._ward.beds)

    def some(self) -> list[Outgoing]:
        """Messages of the next beds, as in `due`."""
        made: list[Outgoing] = []
        for _ in range(min(max(AT_A_TIME, len(self._ward.beds) // PARTS), len(self.waiting))):
            name = self.waiting.popleft()
            bed = self._ward.beds.get(name)
            if bed is not None and bed.stream:
                made += self._due(name, bed)
        if not self.waiting:
            for name in self._told.keys() - self._ward.beds.keys():
                made += self._forget(name)
            self._forgotten &= self._ward.beds.keys()
        return made

    def _due(self, name: str, bed: Bed) -> list[Outgoing]:
        """Messages of one bed."""
        if self._gone(bed):
            return [] if name in self._forgotten else self._forget(name)
        made = []
        if name in self._forgotten:
            self._forgotten.discard(name)
            made.append(Outgoing(self._topics.of(name, "alarm"), encode_json(self._alarms(bed)), True))
        state, before = self.of(bed), self._told.get(name)
        if before is None or replace(before, index=state.index) != state:
            self._told[name] = state
            made.append(Outgoing(self._topics.of(name, "state"), encode_json(state), True))
        return made

    def _gone(self, bed: Bed) -> bool:
        settings, now_s = self._ward.config.monitor, self._now_s()
        return now_s - bed.heard_s > settings.forget_seconds and bed.state(now_s, settings.idle_seconds) in GONE

    def _forget(self, name: str) -> list[Outgoing]:
        """Empty retained messages, which remove what the broker keeps."""
        self._told.pop(name, None)
        self._forgotten.add(name)
        return [Outgoing(self._topics.of(name, kind), b"", True) for kind in FORGOTTEN]

    def _alarms(self, bed: Bed) -> Alarms:
        alarms = self._ward.alarms
        active = list(alarms.active(bed.slot))
        return Alarms(
            v=SCHEMA,
            bed=bed.name,
            stream=bed.stream,
            index=alarms.now(bed.slot),
            active=active,
            monitor=self._monitor,
        )

    def burdens(self) -> list[Burden]:
        """The alarms of each bed, for Prometheus; asked for in another thread."""
        beds = [bed for bed in list(self._ward.beds.values()) if bed.stream]
        return [
            Burden(bed.name, self._book.total(bed.name), self._book.last_hour(bed), self._ward.alarms.held(bed.slot))
            for bed in beds
        ]

    def of(self, bed: Bed) -> BedState:
        """The state of one bed as the wire has it."""
        alarms = self._ward.alarms
        sign = alarms.sign(bed.slot)
        return BedState(
            v=SCHEMA,
            bed=bed.name,
            stream=bed.stream,
            index=alarms.now(bed.slot),
            signal=signal_of(bed, sign),
            leads=lead_states(bed, sign),
            held=alarms.held(bed.slot),
            last_hour=self._book.last_hour(bed),
            limits=in_force(alarms.settings_of(bed.slot)),
            own=own_of(alarms.limits_of(bed.slot)),
            monitor=self._monitor,
        )
