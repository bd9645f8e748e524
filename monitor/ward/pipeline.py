"""From the signal of many beds to events: signal path, network and alarms, with a row of their state for each bed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model.network import BeatNet
from ecg.records.aami import CLASSES
from ecg.settings import Config
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath, lookahead_seconds
from monitor.alarms import WardAlarms
from monitor.inference.engine import Engine
from monitor.ward.bed import Bed
from monitor.ward.events import AlarmChanged, BeatRead, Event, MemoryReset
from monitor.ward.pieces import Begin
from monitor.ward.state import Rows, SavedPatient

FIRST_SLOTS: Final = 64
FUTURE_NS: Final = 1_000_000_000
PAST_NS: Final = 3_600_000_000_000
"""A message that says that it was sent later than 1 s after it came, or an hour before, has no clock to be believed."""


class Pipeline:
    """What all beds go through at once. A bed's slot is its row in each of the three states.

    beds: by slot. events: what happened, until the owner takes it.
    wall_ns: what a beat's latency is measured with.
    """

    def __init__(self, config: Config, net: BeatNet, device: torch.device, wall_ns: Callable[[], int]) -> None:
        self._config, self._wall_ns = config, wall_ns
        self.engine = Engine(
            net,
            device,
            FIRST_SLOTS,
            config.monitor.batch_size,
            staged=None if config.model.cuda_graphs else False,
            bfloat16=config.model.bfloat16,
        )
        self.clear()

    def clear(self) -> None:
        """Forget all beds."""
        slots = self.engine.slots
        self.engine.reset(np.arange(slots))
        self.path = SignalPath(slots)
        self.alarms = WardAlarms(self._config.alarms, slots)
        self.beds: list[Bed | None] = []
        self.events: list[Event] = []

    def put(self, bed: Bed) -> None:
        """A bed takes its slot, the next one or that of a bed that has left."""
        if bed.slot == len(self.beds):
            self.beds.append(None)
        self.beds[bed.slot] = bed
        if len(self.beds) > self.path.slots:
            size = min(2 * self.path.slots, self._config.monitor.max_beds)
            holders: tuple[Rows, ...] = (self.path, self.engine, self.alarms)
            for holder in holders:
                holder.grow(size)

    def remove(self, bed: Bed) -> None:
        """The bed has left; its slot waits for another."""
        self.alarms.drop(bed.slot)
        self.beds[bed.slot] = None

    def save(self, bed: Bed) -> SavedPatient:
        """All that is remembered of a bed whose signal has been processed."""
        slot = bed.slot
        return SavedPatient(
            bed=bed.save(), path=self.path.save(slot), memory=self.engine.save(slot), alarms=self.alarms.save(slot)
        )

    def restore(self, bed: Bed, saved: SavedPatient, now_s: float) -> None:
        """Put back what `save` gave. Raises ValueError where it does not fit."""
        self.path.restore(bed.slot, saved.path)
        self.engine.restore(bed.slot, saved.memory)
        self.alarms.restore(bed.slot, saved.alarms)
        bed.restore(saved.bed, now_s)

    def round(self, ready: dict[str, Bed]) -> int:
        """The signal of these beds up to the next break of each; those of which none is left are taken out.

        Returns the number of beats read.
        """
        slots: list[int] = []
        chunks: list[NDArray[np.float32]] = []
        off_slots: list[int] = []
        off_chunks: list[NDArray[np.float32]] = []
        ended: list[int] = []
        for bed in list(ready.values()):
            while (begin := bed.take_begin()) is not None:
                self._begin(bed, begin)
            if bed.take_end():
                ended.append(bed.slot)
            else:
                off, samples = bed.take_signal()
                if samples is not None:
                    (off_slots if off else slots).append(bed.slot)
                    (off_chunks if off else chunks).append(samples)
            if not bed.pieces:
                del ready[bed.name]
        found = self.path.step(np.array(slots, np.int64), chunks)
        if ended:
            found = Beats.join([found, self.path.finish(np.array(ended, np.int64))])
        both = np.array(slots + off_slots, np.int64)
        self.alarms.samples(both, chunks + off_chunks, np.arange(len(both)) >= len(slots))
        if len(found):
            self._read(found)
        self.alarms.clock(both)
        for slot in ended:
            self.alarms.finish(slot)
        self.collect()
        return len(found)

    def _begin(self, bed: Bed, begin: Begin) -> None:
        """Empty the bed's memory."""
        rows = np.array([bed.slot], np.int64)
        self.path.reset(rows, np.array([begin.rate]), np.array([begin.index], np.int64))
        self.engine.reset(rows)
        bed.forget_beats()
        if begin.reason.ends_the_alarms:
            self.alarms.reset(bed.slot, begin.rate, begin.index)
        else:
            self.alarms.interrupt(bed.slot, begin.index)
        if begin.reason.lost_signal:
            bed.gap_at = begin.index
        self.events.append(
            MemoryReset(bed=bed.name, stream=bed.stream, index=begin.index, reason=begin.reason, seconds=begin.seconds)
        )

    def _read(self, found: Beats) -> None:
        """Run the network over new beats."""
        verdicts = self.engine.infer(found)
        now_ns = self._wall_ns()
        for slot, index, ready, best, probabilities, rr, rate, moved in zip(
            found.slot.tolist(),
            found.index.tolist(),
            found.ready.tolist(),
            verdicts.probabilities.argmax(axis=1).tolist(),
            verdicts.probabilities.tolist(),
            found.rr_ms.tolist(),
            found.heart_rate.tolist(),
            verdicts.moved.tolist(),
            strict=True,
        ):
            bed = self.beds[slot]
            assert bed is not None
            sent_ns, received_ns = bed.arrival(ready)
            plausible = -FUTURE_NS < received_ns - sent_ns < PAST_NS
            beat = BeatRead(
                bed=bed.name,
                stream=bed.stream,
                index=index,
                cls=CLASSES[best],
                probabilities=tuple(probabilities),
                rr_ms=None if rr != rr else rr,
                heart_rate=None if rate != rate else rate,
                moved=moved,
                sent_ns=sent_ns if plausible else 0,
                received_ns=received_ns,
                latency_ms=(now_ns - (sent_ns if plausible else received_ns)) / 1e6,
                lookahead_ms=lookahead_seconds(bed.rate) * 1000,
            )
            bed.take_beat(beat)
            self.alarms.beat(slot, index, beat.cls)
            self.events.append(beat)

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
