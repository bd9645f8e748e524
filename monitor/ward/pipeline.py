"""From the signal of many beds to events: signal path, network and alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from ecg.model.doubt import NONE, Doubt
from ecg.model.weights import Weights
from ecg.settings import Config
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from monitor.alarms import WardAlarms
from monitor.inference import choice
from monitor.inference.engine import Verdicts
from monitor.ward import second_thread
from monitor.ward.arrivals import Arrivals
from monitor.ward.bed import LEADS, Bed
from monitor.ward.events import AlarmChanged, Event, MemoryReset
from monitor.ward.lead_rows import Index, LeadRows
from monitor.ward.pieces import Begin
from monitor.ward.quick_lane import QuickLane
from monitor.ward.state import Rows, SavedPatient
from monitor.ward.telling import Telling
from monitor.ward.watcher import Watcher

FIRST_SLOTS: Final = 64


class Pipeline:
    """What all beds go through at once: signal path and network have a row for each lead, the alarms for each bed.

    beds: by slot. events: what happened, until the owner takes it. watchers: see what is read of each lead.
    wall_ns: what a beat's latency is measured with. doubt: of the network's card.
    """

    def __init__(
        self,
        config: Config,
        weights: Weights,
        device: str,
        wall_ns: Callable[[], int],
        doubt: Doubt = NONE,
    ) -> None:
        self._config, self._wall_ns, self._doubt = config, wall_ns, doubt
        self.watchers: list[Watcher] = []
        self.engine = choice.engine(
            weights,
            device,
            LEADS * FIRST_SLOTS,
            config.monitor.batch_size,
            graphs=config.model.cuda_graphs,
            bfloat16=config.model.bfloat16,
        )
        self.clear()

    def clear(self) -> None:
        """Forget all beds."""
        rows = self.engine.slots
        self.engine.reset(np.arange(rows))
        self.path = SignalPath(rows)
        self.arrivals = Arrivals(rows // LEADS)
        self.quick = QuickLane(rows // LEADS, self.arrivals)
        self.alarms = WardAlarms(self._config.alarms, rows // LEADS)
        self._leading = np.zeros(rows // LEADS, np.int64)
        self._telling = Telling(self._doubt, self._wall_ns, rows // LEADS)
        self.beds: list[Bed | None] = []
        self.events: list[Event] = []

    def put(self, bed: Bed) -> None:
        """A bed takes its slot, the next one or that of a bed that has left."""
        if bed.slot == len(self.beds):
            self.beds.append(None)
        self.beds[bed.slot] = bed
        if LEADS * len(self.beds) > self.path.slots:
            size = min(2 * self.path.slots // LEADS, self._config.monitor.max_beds)
            holders: tuple[Rows, ...] = (self.path, self.engine)
            for holder in holders:
                holder.grow(LEADS * size)
            self.alarms.grow(size)
            self.arrivals.grow(size)
            self.quick.grow(size)
            self._telling.grow(size)
            self._leading = np.pad(self._leading, (0, size - len(self._leading)))

    def remove(self, bed: Bed) -> None:
        """The bed has left; its slot waits for another."""
        self.quick.leave(bed)
        self.alarms.drop(bed.slot)
        self.arrivals.clear(bed.slot)
        self.beds[bed.slot] = None

    def save(self, bed: Bed) -> SavedPatient:
        """All that is remembered of a bed whose signal has been processed."""
        rows = [bed.row(lead) for lead in range(len(bed.intake.channels))]
        return SavedPatient(
            bed=bed.save(),
            paths=[self.path.save(row) for row in rows],
            memories=[self.engine.save(row) for row in rows],
            alarms=self.alarms.save(bed.slot),
        )

    def restore(self, bed: Bed, saved: SavedPatient, now_s: float) -> None:
        """Put back what `save` gave. Raises ValueError where it does not fit."""
        bed.restore(saved.bed, now_s)
        leads = range(len(bed.intake.channels))
        for lead, path, memory in zip(leads, saved.paths, saved.memories, strict=True):
            self.path.restore(bed.row(lead), path)
            self.engine.restore(bed.row(lead), memory)
        self.alarms.restore(bed.slot, saved.alarms)
        self._leading[bed.slot] = bed.leading.lead
        self._telling.begin(bed.slot, bed.rate, bed.begun_at)

    def recall(self, bed: Bed) -> list[float]:
        """The carried hidden state of the lead that leads."""
        return self.engine.recall(bed.row(bed.leading.lead))

    def round(self, ready: dict[str, Bed]) -> int:
        """The signal of these beds up to the next break of each, and all on the quick lane; beds with none left go out.

        Returns the number of beats read.
        """
        read, closing = LeadRows(self.quick.heard()), LeadRows()
        ended: list[Bed] = []
        for bed in list(ready.values()):
            if (only := bed.take_only()) is not None:
                read.add(bed, only)
                del ready[bed.name]
                continue
            while (begin := bed.take_begin()) is not None:
                self._begin(bed, begin)
            if bed.take_end():
                ended.append(bed)
            elif (signal := bed.take_signal()) is not None:
                read.add(bed, signal)
            if not bed.pieces:
                del ready[bed.name]
        for bed in ended:
            closing.close(bed)
        slots = read.slots
        self._leading[slots] = read.leading
        found = self.path.step_leads(*read.on())
        beats, witnessed = found.beats, found.witnessed
        if ended:
            beats = Beats.join([beats, self.path.finish(closing.rows, closing.follows)])
        verdicts = second_thread.begun(self.engine, beats)
        try:
            self._sound(slots, read)
        finally:
            said = verdicts()
        detected = witnessed // np.array([LEADS, 1])
        if len(beats):
            count = self._tell(slots, detected, beats, said)
        else:
            count = 0
            self.alarms.tell(slots, detected)
        for bed in ended:
            self.alarms.finish(bed.slot)
        self.collect()
        return count

    def _sound(self, slots: Index, read: LeadRows) -> None:
        """The signals for the alarms: pulses go before the leads."""
        for channel, (pulsed, pulses) in enumerate(read.pulses):
            self.alarms.pulse(pulsed, pulses, channel)
        self.alarms.leads(slots, read.rows, read.chunks, read.off)

    def _begin(self, bed: Bed, begin: Begin) -> None:
        """Empty the bed's memory, or that of one of its leads."""
        leads = range(len(bed.intake.channels)) if begin.lead is None else (begin.lead,)
        rows = np.array([bed.row(lead) for lead in leads], np.int64)
        beside = rows if begin.lead is None else np.array([bed.row(1 - begin.lead)], np.int64)
        rates, starts = np.full(len(rows), begin.rate), np.full(len(rows), begin.index, np.int64)
        self.path.reset(rows, rates, starts, beside=beside)
        self.engine.reset(rows)
        for watcher in self.watchers:
            watcher.emptied(bed, leads)
        if begin.lead is not None:
            bed.leading.back(begin.lead, begin.index, begin.rate)
            return
        bed.leading.anew()
        bed.forget_beats()
        bed.begun_at = begin.index
        self._telling.begin(bed.slot, begin.rate, begin.index)
        if begin.reason.ends_the_alarms:
            self.alarms.reset(bed.slot, begin.rate, begin.index)
        else:
            self.alarms.interrupt(bed.slot, begin.index, begin.reason.lost_signal)
        if begin.reason.lost_signal:
            bed.gap_at = begin.index
        self.events.append(
            MemoryReset(bed=bed.name, stream=bed.stream, index=begin.index, reason=begin.reason, seconds=begin.seconds)
        )

    def _tell(self, slots: Index, detected: Index, rows: Beats, verdicts: Verdicts) -> int:
        """What the network says of new beats, a row for each lead. Returns their number."""
        for watcher in self.watchers:
            watcher.beats(rows, self._leading)
        read = self._telling.read(rows, verdicts, self._leading)
        noisy = self.alarms.tell(slots, detected, read.heard)
        self.events += self._telling.events(
            read, noisy, self.arrivals.of(read.heard.slots, read.heard.ready), self.beds
        )
        return len(noisy)

    def collect(self) -> None:
        """What the alarms have to say."""
        for slot, changes in self.alarms.changes().items():
            bed = self.beds[slot]
            if bed is None:
                continue
            self.events.append(
                AlarmChanged(
                    bed=bed.name,
                    stream=bed.stream,
                    rate=bed.rate,
                    index=self.alarms.now(slot),
                    active=tuple(self.alarms.active(slot)),
                    changes=tuple(changes),
                )
            )
