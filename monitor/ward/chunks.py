"""Chunks of one stream in any order become its unbroken signal.

They are ordered by sample index; a repeat is dropped, a missing chunk is waited for and then counted as lost. A short
gap is bridged by a straight line, a longer one begins the signal anew; so does a lead that was off. What comes out
depends on the samples alone, not on how they were cut into chunks.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

from ecg.records.record import MISSING
from ecg.wire.messages import Wave, wave_samples
from monitor.ward.events import ResetReason
from monitor.ward.ledger import Ledger, RunCount
from monitor.ward.listener import Listener, Unheard, heard
from monitor.ward.owner import length
from monitor.ward.pieces import Begin, Block, Piece

MOST_PENDING = 64
"""Chunks of one bed kept while an earlier one is missing."""
MOST_PENDING_BYTES = 8 << 20


@dataclass(slots=True, order=True)
class Waiting:
    """A chunk ahead of its turn."""

    index: int
    wave: Wave = field(compare=False)
    received_ns: int = field(compare=False)

    @property
    def samples(self) -> int:
        """Samples per lead."""
        return length(self.wave)


@dataclass(slots=True, kw_only=True)
class Chunks(Listener):
    """The chunks of one stream after the other, and the signal they make.

    stream, rate, leads, units: of the present stream. record: as its last chunk names it. next: index of the next
    sample needed. blocks: what has been taken since whoever holds this last emptied the list. The rest: see `Listener`.
    """

    bed: str
    ledger: Ledger
    stream: str = ""
    record: str = ""
    leads: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    next: int = 0
    ended: bool = True
    blocks: list[Block] = field(default_factory=list)
    _waiting: list[Waiting] = field(default_factory=list)
    _joined: bool = False

    @property
    def _count(self) -> RunCount:
        return self.ledger.run(self.bed, self.stream)

    @property
    def _silent(self) -> bool:
        """Has nothing been heard yet?."""
        self.settle()
        return all(channel.last == MISSING for channel in self.channels)

    def _attached(self) -> None:
        self.settle()
        for channel in self.channels:
            channel.attached()

    def _patience(self, wave: Wave) -> int:
        """How far ahead other chunks may be before a missing one is given up, samples."""
        return max(round(self.settings.late_seconds * self.rate), 2 * length(wave))

    def _accept(self, wave: Wave, received_ns: int, pieces: list[Piece]) -> None:
        count = length(wave)
        if wave.index + count <= self.next:
            self.ledger.repeated += count
            return
        if wave.index > self.next:
            if any(waiting.index == wave.index for waiting in self._waiting):
                self.ledger.repeated += count
                return
            insort(self._waiting, Waiting(wave.index, wave, received_ns))
            newest = self._waiting[-1]
            reach = newest.index + length(newest.wave)
            while self._waiting and (
                reach - self.next > self._patience(wave) + count
                or len(self._waiting) > MOST_PENDING
                or sum(len(one.wave.samples) for one in self._waiting) > MOST_PENDING_BYTES
            ):
                self._bridge(self._waiting[0].index, pieces)
                self._take_waiting(pieces)
            return
        self._take(wave, received_ns, pieces)
        self._take_waiting(pieces)

    def _take_waiting(self, pieces: list[Piece]) -> None:
        """Take what has been waiting and is due now."""
        while self._waiting and self._waiting[0].index <= self.next:
            due = self._waiting.pop(0)
            self._take(due.wave, due.received_ns, pieces)

    def _bridge(self, index: int, pieces: list[Piece]) -> None:
        """Samples up to `index` are lost: bridge a short gap, begin anew after a long one."""
        gap = index - self.next
        if gap <= 0:
            return
        if not self._silent or not self._joined:
            self._count.lost += gap
        if gap > self.settings.gap_reset_seconds * self.rate or self._silent:
            self._attached()
            pieces.append(Begin(index, self.rate, ResetReason.GAP, gap / self.rate))
        else:
            self.settle()
            wave = self._waiting[0].wave
            codes = wave_samples(wave)[0].tolist()
            lines = [channel.bridge(wave, codes[channel.column], gap) for channel in self.channels]
            pulses = [channel.bridge(wave, codes[channel.column], gap) for channel in self.pulses]
            pieces.append(self.signal(self.next, lines, [channel.off for channel in self.channels], pulses))
        self.next = index

    def _skip(self, index: int) -> None:
        """Samples up to `index` are lost, and the signal begins anew there."""
        if index > self.next:
            self._count.lost += index - self.next
            self.next = index

    def _take(self, wave: Wave, received_ns: int, pieces: list[Piece]) -> None:
        """The samples of a chunk that are not known yet."""
        samples, count = wave.samples, length(wave)
        repeated = self.next - wave.index
        if repeated >= count:
            self.ledger.repeated += count
            return
        if repeated:
            self.ledger.repeated += repeated
            samples = samples[2 * len(wave.leads) * repeated :]
        unheard = self._accepted(wave, samples, received_ns)
        pieces.extend(self.hear(unheard, heard([unheard])[0]))

    def _accepted(self, wave: Wave, samples: bytes, received_ns: int) -> Unheard:
        """The next samples of the stream: all of a chunk, or its end.

        What is kept of a message and was the same in the one before is kept once.
        """
        unheard = self.unheard(self.next, samples, wave)
        if self.record != wave.record:
            self.record = wave.record
        known, units = unheard.known, self.units if self.units == wave.units else wave.units
        told = (wave.sent_ns, received_ns, units, self.record)
        self.blocks.append(block := Block(self.next, samples, known.gain, known.baseline, *told))
        count = len(block)
        self._count.received += count
        self.next += count
        return unheard
