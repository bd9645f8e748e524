"""The ward: all beds from wave messages to classified beats and alarms. No MQTT, no screen, no clock of its own.

Messages go in one by one; `step` then takes everything that has come in for all beds at once through the signal path
and the network. What comes out depends on the samples alone, however often `step` is called.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model.network import BeatNet
from ecg.records.aami import CLASSES
from ecg.settings import Config
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath, lookahead_seconds
from ecg.wire.messages import SCHEMA, Alarms, Beat, BedStatus, MessageError, Truth, Wave
from monitor.alarms import PRIORITY, Change, WardAlarms
from monitor.inference.engine import Engine
from monitor.link.protocol import BeatMark, Notice, TruthNote
from monitor.service.latency import Latencies
from monitor.ward.bed import Bed
from monitor.ward.intake import Begin, End, Intake, Signal
from monitor.ward.ledger import Ledger

FIRST_SLOTS: Final = 64
HISTORY_SECONDS: Final = 600.0
HISTORY_BEDS: Final = 128
"""With more beds than that, each keeps less history, so that all of it fits the same memory."""
SHORTEST_HISTORY: Final = 15.0
TRIM_EVERY: Final = 64


@dataclass(slots=True)
class Outcome:
    """What one step brought about. beats: with the send time of their last needed sample, in ns."""

    beats: list[tuple[Beat, int]] = field(default_factory=list)
    alarms: list[Alarms] = field(default_factory=list)
    changes: list[tuple[Bed, Change]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


class Ward:
    """Every bed of one monitor.

    net: the network, on the CPU. device: where it runs. wall_ns: wall clock for latencies only.
    """

    def __init__(
        self,
        config: Config,
        net: BeatNet,
        model: str,
        device: torch.device,
        wall_ns: Callable[[], int] = time.time_ns,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.model = model
        self._wall_ns, self._now_s = wall_ns, now_s
        self.latencies = Latencies()
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
        """Forget all beds and all counts."""
        self.ledger = Ledger()
        self.beds: dict[str, Bed] = {}
        slots = self.engine.slots
        self.engine.reset(np.arange(slots))
        self.path = SignalPath(slots)
        self.alarms = WardAlarms(self.config.alarms, slots)
        self._slots: list[Bed | None] = []
        self._ready: dict[str, Bed] = {}
        self._announced: dict[str, BedStatus] = {}
        self._notices: list[Notice] = []
        self._early = Outcome()
        self._steps = 0

    def wave(self, name: str, wave: Wave, received_ns: int) -> None:
        """One checked wave message of a bed. Raises MessageError where it cannot be used."""
        bed = self._bed_for(name, wave)
        pieces = bed.intake.offer(wave, received_ns)
        bed.heard_s, bed.online = self._now_s(), True
        self._take(bed, pieces)

    def _bed_for(self, name: str, wave: Wave) -> Bed:
        """The bed a message is for, with all of its old stream processed where another begins."""
        bed = self.admit(name)
        if bed.intake.is_new(wave):  # all of the old stream goes first, under its own name
            self._end(bed)
            while self._ready:
                self._round(self._early)
            bed.begin()
        return bed

    def forgo(self, name: str, wave: Wave) -> None:
        """One checked message of a bed that has waited too long: lost, unread. Raises MessageError as `wave` does."""
        bed = self._bed_for(name, wave)
        bed.heard_s, bed.online = self._now_s(), True
        self._take(bed, bed.intake.forgo(wave))

    def resume(self, name: str, behind_s: float) -> None:
        """The last of the messages to forgo is gone: the bed begins anew with empty memory, and says so."""
        bed = self.beds.get(name)
        if bed is not None:
            self._take(bed, bed.intake.resume(f"gap, {behind_s:.1f} s of signal waited unread (max_lag_seconds)"))

    def _take(self, bed: Bed, pieces: list[Piece]) -> None:
        bed.take_blocks()
        if pieces:
            bed.pieces.extend(pieces)
            self._ready[bed.name] = bed

    def waits_for_nobody(self, name: str) -> bool:
        """Is this bed sent as fast as it can be, so that unread signal says nothing of lateness?."""
        status = self.beds[name].status if name in self.beds else self._announced.get(name)
        return status is not None and status.speed == "max"

    def truth(self, name: str, truth: Truth) -> None:
        """Reference annotations of a bed; those of another stream than the present one are left out."""
        bed = self.beds.get(name)
        if bed is not None and truth.stream == bed.intake.stream:
            bed.history.notes.extend(TruthNote(mark.index, mark.symbol, mark.rhythm) for mark in truth.annotations)

    def status(self, name: str, status: BedStatus, retained: bool) -> None:
        """A producer's word on its bed. One retained from a replay that is over says nothing of the present."""
        if retained and status.state == "offline" and not self.ledger.knows(name, status.stream):
            return
        if status.published is not None:
            self.ledger.run(name, status.stream).published = status.published
        bed = self.beds.get(name)
        if bed is None:
            if name in self._announced or len(self._announced) < self.config.monitor.max_beds:
                self._announced[name] = status
            return
        bed.status = status
        bed.online = status.state == "online"
        if status.state == "offline" and status.published is not None:
            self._end(bed)

    def offline(self, names: list[str]) -> None:
        """A shared connection of these beds has broken."""
        for name in names:
            if name in self.beds:
                self.beds[name].online = False

    def end_all(self) -> None:
        """No more messages will come: what is incomplete is completed as far as it can be."""
        for bed in self.beds.values():
            self._end(bed)

    def _end(self, bed: Bed) -> None:
        self._take(bed, bed.intake.end())

    @property
    def waiting(self) -> bool:
        """Is there signal that `step` has not taken yet?."""
        return bool(self._ready or self._early.beats or self._early.alarms)

    def step(self) -> Outcome:
        """Take all that has come in through the signal path, the network and the alarms."""
        outcome, self._early = self._early, Outcome()
        while self._ready:
            self._round(outcome)
        outcome.notices, self._notices = self._notices, []
        self._steps += 1
        if self._steps % TRIM_EVERY == 0:
            self._trim()
        return outcome

    def _round(self, outcome: Outcome) -> None:
        """Every bed's signal up to its next break."""
        slots: list[int] = []
        chunks: list[NDArray[np.float32]] = []
        off_slots: list[int] = []
        off_chunks: list[NDArray[np.float32]] = []
        ended: list[Bed] = []
        for bed in list(self._ready.values()):
            while bed.pieces and isinstance(bed.pieces[0], Begin):
                self._begin(bed, bed.pieces.popleft())
            if bed.pieces and isinstance(bed.pieces[0], End):
                bed.pieces.popleft()
                ended.append(bed)
            else:
                off, parts = _signal(bed)
                if parts:
                    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
                    (off_slots if off else slots).append(bed.slot)
                    (off_chunks if off else chunks).append(whole)
            if not bed.pieces:
                del self._ready[bed.name]
        heard = np.array(slots, np.int64)
        found = self.path.step(heard, chunks)
        if ended:
            found = Beats.join([found, self.path.finish(np.array([bed.slot for bed in ended], np.int64))])
        both = np.array(slots + off_slots, np.int64)
        are_off = np.arange(len(both)) >= len(slots)
        self.alarms.samples(both, chunks + off_chunks, are_off)
        if len(found):
            self._classify(found, outcome)
        self.alarms.clock(both)
        for bed in ended:
            bed.done = True
            self.alarms.finish(bed.slot)
        self._collect(outcome)

    def _begin(self, bed: Bed, begin: Piece) -> None:
        """Empty the bed's memory, and say so."""
        assert isinstance(begin, Begin)
        rows = np.array([bed.slot], np.int64)
        self.path.reset(rows, np.array([begin.rate]), np.array([begin.index], np.int64))
        self.engine.reset(rows)
        bed.any_beat = False
        bed.heart_rate = None
        if begin.reason in ("", "new record", "stream resumed"):
            self.alarms.reset(bed.slot, begin.rate, begin.index)
        else:
            self.alarms.interrupt(bed.slot, begin.index)
            if begin.reason.startswith("gap"):
                bed.gap_at = begin.index
        if begin.reason:
            self._notice(bed, begin.index, "reset", f"memory reset: {begin.reason}")

    def _classify(self, found: Beats, outcome: Outcome) -> None:
        """Run the network over new beats and tell everybody."""
        confirmed = self._wall_ns()
        verdicts = self.engine.infer(found)
        inferred = self._wall_ns()
        best = verdicts.probabilities.argmax(axis=1)
        sent = np.zeros(len(found), np.int64)
        received = np.zeros(len(found), np.int64)
        for row in range(len(found)):
            bed = self._slots[int(found.slot[row])]
            assert bed is not None
            sent[row], received[row] = bed.arrival(int(found.ready[row]))
        for stage, since, until in (
            ("received", sent, received),
            ("confirmed", received, confirmed),
            ("inferred", confirmed, inferred),
        ):
            spent = (until - since) / 1e6 if isinstance(until, np.ndarray) else np.asarray((until - since) / 1e6)
            self.latencies.add(stage, np.broadcast_to(np.asarray(spent, np.float64), len(found)))
        rows = zip(
            found.slot.tolist(),
            found.index.tolist(),
            best.tolist(),
            verdicts.probabilities.tolist(),
            found.rr_ms.tolist(),
            found.heart_rate.tolist(),
            verdicts.moved.tolist(),
            sent.tolist(),
            strict=True,
        )
        self.ledger.beats += len(found)
        for slot, index, cls, probabilities, rr, rate, moved, sent_ns in rows:
            bed = self._slots[slot]
            assert bed is not None
            self._beat(bed, index, CLASSES[cls], probabilities, rr, rate, moved, (inferred - sent_ns) / 1e6)
            self.alarms.beat(slot, index, CLASSES[cls])
            message = Beat(
                v=SCHEMA,
                bed=bed.name,
                stream=bed.intake.stream,
                index=index,
                class_=CLASSES[cls],
                probabilities=dict(zip(CLASSES, (round(p, 6) for p in probabilities), strict=True)),
                rr_ms=None if rr != rr else round(rr, 2),
                heart_rate=None if rate != rate else round(rate, 2),
                latency_ms=round((inferred - sent_ns) / 1e6, 3),
                lookahead_ms=round(lookahead_seconds(bed.rate) * 1000, 1),
                model=self.model,
            )
            outcome.beats.append((message, sent_ns))

    def _beat(
        self,
        bed: Bed,
        index: int,
        cls: str,
        probabilities: list[float],
        rr: float,
        rate: float,
        moved: float,
        latency_ms: float,
    ) -> None:
        """Keep a beat for the screen."""
        bed.any_beat = True
        bed.heart_rate = None if rate != rate else rate
        bed.history.beats.append(BeatMark(index, cls, probabilities, None if rr != rr else rr, latency_ms, moved))
        if cls == "V":
            bed.recent_v.append(index)
        if cls != "N":
            self._notice(
                bed, index, "beat", f"{cls} beat", cls=cls, probability=max(probabilities), latency_ms=latency_ms
            )

    def _collect(self, outcome: Outcome) -> None:
        """What the alarms have to say."""
        for slot, changes in self.alarms.changes().items():
            bed = self._slots[slot] if slot < len(self._slots) else None
            if bed is None:
                continue
            index = self.alarms.now(slot)
            outcome.alarms.append(Alarms(SCHEMA, bed.name, bed.intake.stream, index, self.alarms.active(slot)))
            for change in changes:
                outcome.changes.append((bed, change))
                if change.what in ("onset", "end") and not change.hidden:
                    kind = "alarm" if change.what == "onset" else "end"
                    self._notice(bed, change.onset, kind, change.kind, priority=PRIORITY[change.kind])

    def acknowledge(self, name: str, kind: str) -> None:
        """A person has seen this bed's alarms; the next step tells everybody."""
        if name in self.beds and self.beds[name].rate:
            self.alarms.acknowledge(self.beds[name].slot, kind)

    def silence(self, name: str, seconds: float) -> None:
        """No sound from this bed for so long."""
        if name in self.beds and self.beds[name].rate:
            self.alarms.silence(self.beds[name].slot, seconds)

    def tell(self) -> Outcome:
        """What has changed without new signal."""
        outcome = Outcome()
        self._collect(outcome)
        outcome.notices, self._notices = self._notices, []
        return outcome

    def _notice(
        self,
        bed: Bed,
        index: int,
        kind: str,
        text: str,
        *,
        cls: str = "",
        priority: str = "",
        probability: float = 0.0,
        latency_ms: float = 0.0,
    ) -> None:
        wall_s = self._wall_ns() / 1e9
        stream = bed.intake.stream
        self._notices.append(
            Notice(
                wall_s=wall_s,
                bed=bed.name,
                stream=stream,
                index=index,
                kind=kind,
                text=text,
                cls=cls,
                priority=priority,
                probability=probability,
                latency_ms=latency_ms,
            )
        )

    def admit(self, name: str) -> Bed:
        """The bed of that name, with a slot of its own. Raises MessageError where there is no room."""
        bed = self.beds.get(name)
        if bed is not None:
            return bed
        slot = len(self._slots)
        if slot >= self.config.monitor.max_beds:
            slot = self._free_slot(name)
        else:
            self._slots.append(None)
        bed = Bed(name=name, slot=slot, intake=Intake(bed=name, settings=self.config.monitor, ledger=self.ledger))
        bed.status = self._announced.pop(name, None)
        if len(self._slots) > self.path.slots:
            size = min(2 * self.path.slots, self.config.monitor.max_beds)
            self.path.grow(size)
            self.engine.grow(size)
            self.alarms.grow(size)
        self._slots[slot] = self.beds[name] = bed
        return bed

    def _free_slot(self, name: str) -> int:
        """The slot of a bed that has been gone the longest. Raises MessageError where none has."""
        now = self._now_s()
        gone = [
            bed for bed in self.beds.values() if not bed.pieces and bed.state(now, self._idle) in ("offline", "silent")
        ]
        if not gone:
            raise MessageError(f"bed {name} refused: {self.config.monitor.max_beds} beds are here (max_beds)")
        oldest = min(gone, key=lambda bed: bed.heard_s)
        self.alarms.drop(oldest.slot)
        del self.beds[oldest.name]
        return oldest.slot

    @property
    def _idle(self) -> float:
        return self.config.monitor.idle_seconds

    def _trim(self) -> None:
        """Forget history that is too old."""
        share = min(1.0, HISTORY_BEDS / max(len(self.beds), 1))
        seconds = max(HISTORY_SECONDS * share, SHORTEST_HISTORY)
        for bed in self.beds.values():
            bed.history.trim(int(bed.intake.next - seconds * bed.rate))


Piece = Begin | Signal | End


def _signal(bed: Bed) -> tuple[bool, list[NDArray[np.float32]]]:
    """(lead off, samples) of the bed's signal up to the next break."""
    parts: list[NDArray[np.float32]] = []
    off = False
    while bed.pieces:
        piece = bed.pieces[0]
        if not isinstance(piece, Signal) or (parts and piece.lead_off != off):
            break
        off = piece.lead_off
        parts.append(piece.samples)
        bed.pieces.popleft()
    return off, parts
