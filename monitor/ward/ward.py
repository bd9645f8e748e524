"""The ward: all beds from wave messages to beats read and alarms. No MQTT, no screen, no clock of its own.

Messages go in one by one; `step` then takes everything that has come in for all beds at once through the signal path
and the network, and returns what that brought about as events. It depends on the samples alone, however often `step`
is called.
"""

from __future__ import annotations

from typing import Final

from ecg.signal.path import SignalPath
from ecg.wire.messages import Limits, MessageError
from monitor.alarms import of_bed
from monitor.inference.engine import Engine
from monitor.ward.bed import AT_ONCE_SECONDS, Bed
from monitor.ward.events import Event
from monitor.ward.history import kept_seconds
from monitor.ward.reception import Reception
from monitor.ward.state import SavedPatient
from monitor.ward.watcher import Watcher

TRIM_EVERY: Final = 64
"""Steps in which each bed's history has its turn to be trimmed: all of a full ward in one step would hold it up."""
ROUND_SECONDS: Final = 400.0
"""Signal of all beds in one round: more would keep whoever calls `step` waiting, and make nothing quicker."""


class Ward(Reception):
    """Every bed of one monitor: `Reception` takes its messages, and its arguments are those of one."""

    def _empty(self) -> None:
        super()._empty()
        self._steps = 0

    @property
    def engine(self) -> Engine:
        """The network over all beds."""
        return self._pipeline.engine

    @property
    def path(self) -> SignalPath:
        """The signal path of all beds."""
        return self._pipeline.path

    @property
    def watchers(self) -> list[Watcher]:
        """Whoever looks on at the network's beats."""
        return self._pipeline.watchers

    @property
    def waiting(self) -> bool:
        """Is there anything that `step` has not taken or returned yet?."""
        return bool(self._ready or self._unheard or self.quick.waiting or self._pipeline.events)

    def step(self, patience_s: float | None = None) -> list[Event]:
        """Take all that has come in through the signal path, the network and the alarms.

        Returns what happened, in that order; the events of one bed are in order of its samples. patience_s: after so
        long what is left waits for the next step (`waiting`), which changes no event.
        """
        limit_s = None if patience_s is None else self._now_s() + patience_s
        self._hear()
        while self._ready or self.quick.waiting:
            self._round()
            if limit_s is not None and self._now_s() > limit_s:
                break
        if self.quick.usual:
            self.quick.let_on(self.ledger.run)
        self._steps += 1
        self._trim()
        return self._taken()

    def tell(self) -> list[Event]:
        """What has happened without new signal, as `step` returns it."""
        self._pipeline.collect()
        return self._taken()

    def _taken(self) -> list[Event]:
        events, self._pipeline.events = self._pipeline.events, []
        return events

    def _round(self) -> None:
        """What waits, up to the next break of each bed; of many beds with much signal those that wait longest.

        What has come over the quick lane is no more than a message or two of each bed.
        """
        turn: dict[str, Bed] = {}
        left_s = ROUND_SECONDS
        for name, bed in self._ready.items():
            turn[name] = bed
            left_s -= min(bed.backlog / (bed.rate or 1), AT_ONCE_SECONDS)
            if left_s <= 0:
                break
        for name in turn:
            del self._ready[name]
        self.ledger.beats += self._pipeline.round(turn)
        self._ready.update(turn)  # those with more wait behind the others

    def acknowledge(self, name: str, kind: str, who: str = "") -> None:
        """A person has seen this bed's alarms; `tell` or the next `step` returns what changes. who: the person."""
        if name in self.beds and self.beds[name].rate:
            self.alarms.acknowledge(self.beds[name].slot, kind, who)

    def limit(self, name: str, limits: Limits | None) -> None:
        """Limits of this bed's own from now on, None for those of the settings; `tell` returns what that changes.

        They are kept for a bed that is not here yet. Raises MessageError where they contradict one another.
        """
        try:
            of_bed(self.config.alarms, limits)
            if name in self.beds:
                self.alarms.adjust(self.beds[name].slot, limits)
            elif name in self._limits or len(self._limits) < self.config.monitor.max_beds:
                self._limits[name] = limits
        except ValueError as error:
            raise MessageError(f"limits of bed {name} are not used: {error}") from None

    def recall(self, bed: Bed) -> list[float]:
        """A bed's carried hidden state, that of the lead that leads."""
        return self._pipeline.recall(bed)

    def silence(self, name: str, seconds: float) -> None:
        """No sound from this bed for so long."""
        if name in self.beds and self.beds[name].rate:
            self.alarms.silence(self.beds[name].slot, seconds)

    def save(self, name: str) -> SavedPatient | None:
        """All that is remembered of a bed; None where it is gone, or has had no signal, or has some that waits."""
        self._hear()
        bed = self.beds.get(name)
        return None if bed is None or not bed.stream or not bed.idle else self._pipeline.save(bed)

    def restore(self, saved: SavedPatient) -> None:
        """A bed goes on as if nothing had happened.

        Raises ValueError where what was saved does not fit, MessageError where there is no room.
        """
        bed = self.admit(saved.bed.name)
        self._alone(bed)
        self._pipeline.restore(bed, saved, self._now_s())

    def _trim(self) -> None:
        """Forget history that is too old, of the beds whose turn it is."""
        seconds = kept_seconds(len(self.beds))
        for bed in self._pipeline.beds[self._steps % TRIM_EVERY :: TRIM_EVERY]:
            if bed is not None:
                bed.trim(seconds)
