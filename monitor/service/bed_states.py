"""What the monitor makes of each bed's signal, as retained messages: published where something has changed."""

from __future__ import annotations

from msgspec.structs import replace

from ecg.wire.messages import SCHEMA, BedState, encode_json
from ecg.wire.topics import Topics
from monitor.service.connection import Outgoing
from monitor.ward.bed import Bed
from monitor.ward.lead_states import lead_states, signal_of
from monitor.ward.limits import in_force, own_of
from monitor.ward.ward import Ward


class BedStates:
    """The states of a ward's beds. monitor: its id."""

    def __init__(self, ward: Ward, topics: Topics, monitor: str) -> None:
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
            limits=in_force(alarms.settings_of(bed.slot)),
            own=own_of(alarms.limits_of(bed.slot)),
            monitor=self._monitor,
        )
