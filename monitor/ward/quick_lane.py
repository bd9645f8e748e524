"""The quick lane: messages that go on where their bed's signal ends, of many beds at once, without an object each.

Nearly all messages are the one before with other numbers and samples. Compiled code knows them by their bytes
(`ecg.signal.lane`), notes what they say in arrays, and puts their signal where the next round finds it. Whoever asks a
bed's objects is told first (`settle`); whatever is not known goes the way of a message of its own, and the bed leaves
the lane for it. The lane changes no result: it is a shorter way to the same ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.records.record import MISSING
from ecg.signal import compiled, lane
from ecg.signal.chunks import Chunks
from ecg.wire.messages import Wave
from ecg.wire.template import Template, template_of
from monitor.ward.arrivals import Arrivals
from monitor.ward.bed import AT_ONCE_SECONDS, LEADS, Bed
from monitor.ward.lead_off import TAIL
from monitor.ward.lead_rows import Heard
from monitor.ward.ledger import RunCount
from monitor.ward.owner import FADES
from monitor.ward.pieces import Piece, Signal

MOST_WAITING: Final = 1 << 21
"""Samples of all signals that may wait here."""
FEWEST_USUAL: Final = 2
"""A bed is let onto the lane after so many usual messages on end."""

Index = NDArray[np.int64]
RunOf = Callable[[str, str], RunCount]


class Usual(NamedTuple):
    """The last usual message of a bed that is not on the lane. times: such messages on end. key: of its sender."""

    bed: Bed
    key: str
    payload: bytes
    wave: Wave
    times: int


class Batch(NamedTuple):
    """Messages of beds on the lane: data[begins[one]:ends[one]] is of bed slots[one]; when each came: int64 [n]."""

    data: bytes
    begins: Index
    ends: Index
    slots: Index
    received_ns: Index

    @classmethod
    def of(cls, payloads: list[bytes], slots: Index, received_ns: list[int]) -> Batch:
        """These messages."""
        lengths = np.fromiter(map(len, payloads), np.int64, len(payloads))
        ends = np.cumsum(lengths)
        data = b"".join(payloads)
        return cls(data, ends - lengths, ends, slots, np.array(received_ns, np.int64))


class QuickLane:
    """The beds of a ward that are on the lane, by slot.

    slot_of: the slot of a bed on the lane by the key of its messages, as their topic is; version: how often that has
    changed. waiting: messages whose signal no round has taken yet. usual: by slot, beds that may be let on.
    """

    def __init__(self, slots: int, arrivals: Arrivals) -> None:
        self.slot_of: dict[str, int] = {}
        self.version = 0
        self.usual: dict[int, Usual] = {}
        self.waiting = 0
        self._arrivals = arrivals
        self._lane = lane.fresh(slots, arrivals.came, arrivals.counts)
        self._told = np.zeros(slots, np.int64)
        self._counting = threading.Lock()
        self._beds: dict[int, tuple[Bed, str, RunCount]] = {}
        self._like: dict[int, tuple[Wave, Template | None]] = {}
        self._signals = np.empty(1 << 14, np.float32)
        self._table = np.empty((256, 4), np.int64)
        self._place = 0

    def grow(self, slots: int) -> None:
        """Room for `slots` beds. The arrivals have grown already."""
        old, new = self._lane, lane.fresh(slots, self._arrivals.came, self._arrivals.counts)
        for name in lane.Lane._fields:
            if name not in ("came", "counts"):
                getattr(new, name)[: len(old.numbers)] = getattr(old, name)
        with self._counting:
            self._lane, self._told = new, np.pad(self._told, (0, slots - len(self._told)))

    def next(self, slot: int) -> int:
        """See `monitor.ward.bed.Noted`."""
        return int(self._lane.numbers[slot, lane.NEXT])

    def heard_s(self, slot: int) -> float:
        """See `monitor.ward.bed.Noted`."""
        return float(self._lane.reals[slot, lane.HEARD_S])

    def pause_s(self, slot: int) -> float:
        """See `monitor.ward.bed.Noted`."""
        return float(self._lane.reals[slot, lane.PAUSE_S])

    def waits(self, slot: int) -> int:
        """See `monitor.ward.bed.Noted`."""
        return int(self._lane.numbers[slot, lane.WAITING])

    def take(self, batch: Batch, now_s: float, stepped_ns: int) -> NDArray[np.bool_]:
        """Take messages of beds, in order; which were taken. Nothing has changed for the others.

        The first one of a bed that is not taken closes the lane for it: it is to `leave`. now_s: monotonic clock.
        stepped_ns: by how much the system's clock has been set forward.
        """
        fast, count = compiled.kernels(), len(batch.slots)
        size = int((batch.ends - batch.begins).sum())
        if fast is None or not size or not self._has_room(size // 2, count):
            return np.zeros(count, np.bool_)
        taken, full = np.empty(count, np.bool_), np.empty(count, np.int64)
        self._place, self.waiting, fulls = fast.take(
            self._lane,
            np.frombuffer(batch.data, np.uint8),
            batch.begins,
            batch.ends,
            batch.slots,
            batch.received_ns,
            (now_s, stepped_ns, MISSING, TAIL, FADES),
            (taken, self._signals, self._table, full, self._place, self.waiting),
        )
        for slot in full[:fulls].tolist():
            self.settle(self._beds[slot][0])
        return taken

    def _has_room(self, samples: int, messages: int) -> bool:
        """Make room for so many more."""
        if self._place + samples > len(self._signals):
            if self._place + samples > MOST_WAITING:
                return False
            more = np.empty(max(samples, len(self._signals)), np.float32)
            self._signals = np.concatenate((self._signals, more))
        if self.waiting + messages > len(self._table):
            self._table = np.concatenate((self._table, np.empty((max(messages, len(self._table)), 4), np.int64)))
        return True

    def heard(self) -> Heard | None:
        """The signal that waits, of all beds: it waits no longer. None where there is none."""
        fast = compiled.kernels()
        if not self.waiting or fast is None:
            return None
        slots, leads, *pulses = fast.gather(self._lane.numbers, self._signals, self._table[: self.waiting])
        self.waiting = self._place = 0
        rows, flat, edges = leads
        pulsed = [(names // LEADS, Chunks(signal, begins)) for names, signal, begins in pulses if len(names)]
        return Heard(slots, rows, rows // LEADS * LEADS, Chunks(flat, edges), pulsed)

    def settle(self, bed: Bed) -> None:
        """Tell the bed's objects what has been noted of it."""
        slot, known = bed.slot, self._lane
        if not known.noted[slot]:
            return
        known.noted[slot] = 0
        row, real = known.numbers[slot].tolist(), known.reals[slot].tolist()
        with self._counting:
            self._count(slot)
        intake, count = bed.terms, row[lane.PRINTS]
        first, samples = intake.next, row[lane.NEXT] - intake.next
        intake.next = row[lane.NEXT]
        prints = np.roll(known.prints[slot], -count) if count > lane.KNOWN else known.prints[slot, :count]
        intake.owner.told(row[lane.HEARD_NS], real[lane.PAUSE_S], row[lane.LENGTH] / intake.rate, prints.tolist())
        signals = row[lane.SIGNALS]
        ends = known.reals[slot, lane.ENDS : lane.ENDS + signals].copy()
        intake.told(known.lines[slot, :signals].copy(), ends, row[lane.STOOD])
        bed.keep(first, samples, known.codes[slot, : row[lane.FILLED]].tobytes())
        known.numbers[slot, [lane.FILLED, lane.PRINTS, lane.FULL]] = 0

    def count(self) -> None:
        """Tell the ledger what has been noted of all beds. Any thread may ask, while messages are taken in another."""
        with self._counting:
            for slot in np.flatnonzero(self._lane.numbers[:, lane.RECEIVED] != self._told).tolist():
                self._count(slot)

    def _count(self, slot: int) -> None:
        known, received = self._beds.get(slot), int(self._lane.numbers[slot, lane.RECEIVED])
        if known is not None:
            known[2].received += received - int(self._told[slot])
            self._told[slot] = received

    def leave(self, bed: Bed) -> None:
        """The bed is told all, and its messages are known here no more. Signal of it that waits goes to its pieces."""
        self.usual.pop(bed.slot, None)
        if bed.lane is None:
            return
        slot, known = bed.slot, self._lane
        self.settle(bed)
        bed.heard_s = self.heard_s(slot)
        if self.waits(slot):
            bed.add(self._signals_of(bed))
        known.numbers[slot, [lane.ON, lane.WAITING]] = 0
        with self._counting:
            _, key, _ = self._beds.pop(slot)
        del self.slot_of[key]
        self.version += 1
        bed.lane = None

    def _signals_of(self, bed: Bed) -> list[Piece]:
        """The signal of one bed that waits, which is taken out."""
        table, made = self._table[: self.waiting], list[Piece]()
        leads = len(bed.terms.channels)
        for row in np.flatnonzero(table[:, 0] == bed.slot).tolist():
            slot, index, length, place = table[row].tolist()
            count = int(self._lane.numbers[slot, lane.SIGNALS])
            parts = self._signals[place : place + count * length].copy().reshape(count, length)
            second = parts[1] if leads > 1 else None
            made.append(Signal(index, parts[0], False, second, False, tuple(parts[leads:])))
            table[row, 0] = -1
        return made

    def note(self, bed: Bed, key: str, payload: bytes, wave: Wave) -> None:
        """A message of a bed that is not on the lane was a usual one: maybe the bed can be let on."""
        if compiled.kernels() is None:
            return
        before = self.usual.get(bed.slot)
        self.usual[bed.slot] = Usual(bed, key, payload, wave, before.times + 1 if before else 1)

    def let_on(self, run_of: RunOf) -> None:
        """Beds whose last messages were usual ones, and of which nothing waits, are on the lane from now on.

        run_of: the count of a bed's samples.
        """
        for one in [usual for usual in self.usual.values() if usual.times >= FEWEST_USUAL]:
            del self.usual[one.bed.slot]
            if one.bed.quiet and (template := self._template(one)):
                self._let_on(one, template, run_of(one.bed.name, one.wave.stream))

    def _template(self, one: Usual) -> Template | None:
        """What the bed's messages are known by, if they can be."""
        like = self._like.get(one.bed.slot)
        if like is None or not _alike(like[0], one.wave):
            like = self._like[one.bed.slot] = one.wave, template_of(one.payload, lane.TEMPLATE)
        return like[1]

    def _let_on(self, one: Usual, template: Template, run: RunCount) -> None:
        bed, slot, known = one.bed, one.bed.slot, self._lane
        intake = bed.terms
        read = intake.read_by()
        if read is None or len(one.wave.samples) > lane.CODES:
            return
        terms, stood = read
        heard_ns, pause_s = intake.owner.pace()
        signals = len(terms.table)
        row = [1, intake.next, len(intake.leads), signals, len(intake.channels), intake.limit]
        row += [int(AT_ONCE_SECONDS * intake.rate), stood, heard_ns, 0, 0, 0, 0, 0, 0]
        with self._counting:
            known.numbers[slot] = [*row, *map(len, template.parts), *template.kinds]
            self._told[slot] = 0
        known.reals[slot, [lane.PAUSE_S, lane.HEARD_S]] = pause_s, bed.heard_s
        known.terms[slot, :signals] = terms.table
        parts = b"".join(template.parts)
        known.template[slot, : len(parts)] = np.frombuffer(parts, np.uint8)
        known.noted[slot] = 0
        self._beds[slot] = bed, one.key, run
        self.slot_of[one.key] = slot
        self.version += 1
        bed.lane = self


def _alike(one: Wave, other: Wave) -> bool:
    """Do two messages differ in their numbers and samples alone?."""
    return (one.stream, one.record, one.rate, one.leads, one.gain, one.baseline, one.units) == (
        other.stream,
        other.record,
        other.rate,
        other.leads,
        other.gain,
        other.baseline,
        other.units,
    )
