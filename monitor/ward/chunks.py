"""Chunks of one stream in any order become its unbroken signal.

They are ordered by sample index; a repeat is dropped, a missing chunk is waited for and then counted as lost. A short
gap is bridged by a straight line, a longer one begins the signal anew; so does a lead that was off. What comes out
depends on the samples alone, not on how they were cut into chunks.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ecg.records.record import MISSING, hold
from ecg.settings import MonitorSettings
from ecg.wire.messages import Wave, wave_samples
from monitor.ward.events import ResetReason
from monitor.ward.lead_off import Line, hear
from monitor.ward.ledger import Ledger, RunCount
from monitor.ward.owner import length
from monitor.ward.pieces import Begin, Block, Piece, Signal

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
class Chunks:
    """The chunks of one stream after the other, and the signal they make.

    stream, rate, leads: of the present stream. column: the analysed lead. next: index of the next sample needed.
    blocks: what has been taken since whoever holds this last emptied the list.
    """

    bed: str
    settings: MonitorSettings
    ledger: Ledger
    stream: str = ""
    record: str = ""
    rate: float = 0.0
    leads: list[str] = field(default_factory=list)
    column: int = 0
    next: int = 0
    ended: bool = True
    lead_off: bool = False
    blocks: list[Block] = field(default_factory=list)
    _waiting: list[Waiting] = field(default_factory=list)
    _last: int = MISSING
    _last_mv: float = 0.0
    _line: Line = field(default_factory=Line)
    _joined: bool = False

    @property
    def _count(self) -> RunCount:
        return self.ledger.run(self.bed, self.stream)

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
        if self._last != MISSING or not self._joined:
            self._count.lost += gap
        if gap > self.settings.gap_reset_seconds * self.rate or self._last == MISSING:
            self._line, self.lead_off = Line(), False
            pieces.append(Begin(index, self.rate, ResetReason.GAP, gap / self.rate))
        else:
            wave = self._waiting[0].wave
            first = int(wave_samples(wave)[0, self.column])
            until = self._last_mv if first == MISSING else self._millivolts(wave, np.array([first]))[0]
            line = np.linspace(self._last_mv, until, gap + 2, dtype=np.float32)[1:-1]
            pieces.append(Signal(self.next, line, self.lead_off))
        self.next = index

    def _skip(self, index: int) -> None:
        """Samples up to `index` are lost, and the signal begins anew there."""
        if index > self.next:
            self._count.lost += index - self.next
            self.next = index

    def _millivolts(self, wave: Wave, adu: NDArray[np.int16]) -> NDArray[np.float32]:
        scaled = (adu.astype(np.float64) - wave.baseline[self.column]) / wave.gain[self.column]
        return scaled.astype(np.float32)

    def _take(self, wave: Wave, received_ns: int, pieces: list[Piece]) -> None:
        """The samples of a chunk that are not known yet."""
        rows = wave_samples(wave)
        repeated = self.next - wave.index
        if repeated >= len(rows):
            self.ledger.repeated += len(rows)
            return
        if repeated:
            self.ledger.repeated += repeated
            rows = rows[repeated:]
        adu = rows[:, self.column]
        self.blocks.append(Block(self.next, rows, wave.gain, wave.baseline, wave.sent_ns, received_ns))
        self._count.received += len(adu)
        index = self.next
        self.next += len(adu)
        held = hold(adu, round(wave.baseline[self.column]) if self._last == MISSING else self._last)
        signal = self._millivolts(wave, held)
        self._last, self._last_mv = int(held[-1]), float(signal[-1])
        limit = round(self.settings.lead_off_seconds * self.rate)
        self._line, parts = hear(self._line, adu, wave.gain[self.column], wave.baseline[self.column], limit)
        for begin, end, off in parts:
            if not off and self.lead_off:
                pieces.append(Begin(index + begin, self.rate, ResetReason.LEAD_WAS_OFF))
            self.lead_off = off
            pieces.append(Signal(index + begin, signal[begin:end], off))
