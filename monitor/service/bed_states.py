"""What the monitor makes of each bed's signal, as retained messages: published where something has changed."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from ecg.wire.messages import SCHEMA, BedState, encode_json
from ecg.wire.topics import Topics
from monitor.service.alarm_book import AlarmBook
from monitor.service.connection import Outgoing
from monitor.ward.bed import Bed
from monitor.ward.lead_states import lead_states, signal_of
from monitor.ward.limits import in_force, own_of
from monitor.ward.ward import Ward


class Burden(NamedTuple):
    """Alarms of one bed. total, last_hour: raised, by priority. held: held back since its stream began."""

    bed: str
    total: dict[str, int]
    last_hour: dict[str, int]
    held: int


class BedStates:
    """The states of a ward's beds. monitor: its id. book: their alarm logs."""

    def __init__(self, ward: Ward, topics: Topics, monitor: str, book: AlarmBook) -> None:
        self._book = book
        self._ward, self._topics, self._monitor = ward, topics, monitor
        self._told: dict[str, BedState] = {}

    def due(self) -> list[Outgoing]:
        """Messages of the beds whose state is another than when it was told last."""
        made = []
        for name, bed in self._ward.beds.items():
            if not bed.intake.stream:
                continue
            state, before = self.of(bed), self._told.get(name)
            if before is None or replace(before, index=state.index) != state:
                self._told[name] = state
                made.append(Outgoing(self._topics.of(name, "state"), encode_json(state), True))
        for name in self._told.keys() - self._ward.beds.keys():
            del self._told[name]
        return made

    def burdens(self) -> list[Burden]:
        """The alarms of each bed, for Prometheus; asked for in another thread."""
        beds = [bed for bed in list(self._ward.beds.values()) if bed.intake.stream]
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
