"""Which beds are here: each has a slot of its own, which another bed takes when it has gone and there is no other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ecg import clock
from ecg.model.doubt import NONE, Doubt
from ecg.model.weights import Weights
from ecg.settings import Config
from ecg.wire.messages import BedStatus, Limits, MessageError
from monitor.alarms import WardAlarms
from monitor.ward.bed import Bed
from monitor.ward.intake import Intake
from monitor.ward.ledger import Ledger
from monitor.ward.pipeline import Pipeline
from monitor.ward.quick_lane import QuickLane

FULL_SECONDS: Final = 1.0
"""A ward that was full a moment ago is not searched again for a bed that has gone."""
GONE: Final = ("offline", "silent")


class Admission:
    """The beds of one monitor, and what is known of those that may come.

    weights: of the network. model: its name. device: where it runs, by name. wall_ns: what a beat's latency is measured
    with. now_s: a clock that never goes back, by which a bed is silent. doubt: of the network's card.
    """

    def __init__(
        self,
        config: Config,
        weights: Weights,
        model: str,
        device: str,
        wall_ns: Callable[[], int] = clock.steady_ns,
        now_s: Callable[[], float] = time.monotonic,
        doubt: Doubt = NONE,
    ) -> None:
        self.config = config
        self.model = model
        self.doubt = doubt
        self._now_s = now_s
        self._pipeline = Pipeline(config, weights, device, wall_ns, doubt)
        self._empty()

    def _empty(self) -> None:
        self.ledger = Ledger(settle=self._pipeline.quick.count)
        self.beds: dict[str, Bed] = {}
        self._announced: dict[str, BedStatus] = {}
        self._limits: dict[str, Limits | None] = {}
        self._full_until_s = float("-inf")

    def clear(self) -> None:
        """Forget all beds and all counts."""
        self._pipeline.clear()
        self._empty()

    @property
    def quick(self) -> QuickLane:
        """The beds whose messages are taken without an object each."""
        return self._pipeline.quick

    @property
    def alarms(self) -> WardAlarms:
        """The alarms of all beds."""
        return self._pipeline.alarms

    def admit(self, name: str) -> Bed:
        """The bed of that name, with a slot of its own. Raises MessageError where there is no room."""
        bed = self.beds.get(name)
        if bed is not None:
            return bed
        slot = len(self._pipeline.beds)
        if slot >= self.config.monitor.max_beds:
            slot = self._free_slot(name)
        bed = Bed(name=name, slot=slot, intake=Intake(bed=name, settings=self.config.monitor, ledger=self.ledger))
        bed.status = self._announced.pop(name, None)
        self._pipeline.put(bed)
        if name in self._limits:
            self.alarms.adjust(slot, self._limits.pop(name))
        self.beds[name] = bed
        return bed

    def _free_slot(self, name: str) -> int:
        """The slot of a bed that has been gone the longest. Raises MessageError where none has."""
        now, idle, gone = self._now_s(), self.config.monitor.idle_seconds, []
        if now >= self._full_until_s:
            gone = [bed for bed in self.beds.values() if bed.idle and bed.state(now, idle) in GONE]
        if not gone:
            if now >= self._full_until_s:
                self._full_until_s = now + FULL_SECONDS
            raise MessageError(f"bed {name} refused: {self.config.monitor.max_beds} beds are here (max_beds)")
        oldest = min(gone, key=lambda bed: bed.heard_s)
        self._limits[oldest.name] = self.alarms.limits_of(oldest.slot)
        self._pipeline.remove(oldest)
        del self.beds[oldest.name]
        self.ledger.present.pop(oldest.name, None)
        return oldest.slot
