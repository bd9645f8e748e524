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

from ecg.records.record import MISSING
from ecg.settings import MonitorSettings
from ecg.signal import compiled
from ecg.signal.compiled import Kernels
from ecg.wire.messages import Wave, wave_samples
from monitor.ward.channels import Channel, Terms, spans, terms
from monitor.ward.events import ResetReason
from monitor.ward.lead_off import TAIL
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

    stream, rate, leads, units: of the present stream. record: as its last chunk names it. channels: the leads that are
    read, the first choice first. pulses: those that show the heart's pulse. next: index of the next sample needed.
    blocks: what has been taken since whoever holds this last emptied the list.
    """

    bed: str
    settings: MonitorSettings
    ledger: Ledger
    stream: str = ""
    record: str = ""
    rate: float = 0.0
    leads: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=lambda: [Channel(column=0)])
    pulses: list[Channel] = field(default_factory=list)
    next: int = 0
    ended: bool = True
    blocks: list[Block] = field(default_factory=list)
    _waiting: list[Waiting] = field(default_factory=list)
    _joined: bool = False
    _read_by: Terms | None = None

    @property
    def _count(self) -> RunCount:
        return self.ledger.run(self.bed, self.stream)

    @property
    def column(self) -> int:
        """Column of the lead that is read first."""
        return self.channels[0].column

    @property
    def lead_off(self) -> bool:
        """Does no lead give a signal?."""
        return all(channel.off for channel in self.channels)

    @property
    def _silent(self) -> bool:
        """Has nothing been heard yet?."""
        return all(channel.last == MISSING for channel in self.channels)

    def _attached(self) -> None:
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
            wave = self._waiting[0].wave
            codes = wave_samples(wave)[0].tolist()
            lines = [channel.bridge(wave, codes[channel.column], gap) for channel in self.channels]
            pulses = [channel.bridge(wave, codes[channel.column], gap) for channel in self.pulses]
            pieces.append(self._signal(self.next, lines, [channel.off for channel in self.channels], pulses))
        self.next = index

    @staticmethod
    def _signal(
        index: int, lines: list[NDArray[np.float32]], off: list[bool], pulses: list[NDArray[np.float32]]
    ) -> Signal:
        second = lines[1] if len(lines) > 1 else None
        return Signal(index, lines[0], off[0], second, len(off) > 1 and off[1], tuple(pulses))

    def _skip(self, index: int) -> None:
        """Samples up to `index` are lost, and the signal begins anew there."""
        if index > self.next:
            self._count.lost += index - self.next
            self.next = index

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
        self.record = wave.record
        told = (wave.sent_ns, received_ns, wave.units, wave.record)
        self.blocks.append(Block(self.next, rows, wave.gain, wave.baseline, *told))
        self._count.received += len(rows)
        index = self.next
        self.next += len(rows)
        if (fast := compiled.kernels()) and self._take_plain(fast, wave, rows, index, pieces):
            return
        lines = [channel.take(wave, rows[:, channel.column]) for channel in self.channels]
        pulses = [channel.take(wave, rows[:, channel.column]) for channel in self.pulses]
        limit = round(self.settings.lead_off_seconds * self.rate)
        heard = [channel.hear(wave, rows[:, channel.column], limit) for channel in self.channels]
        for begin, end, off in spans(heard):
            self._lead_back(index + begin, off, pieces)
            some = [line[begin:end] for line in lines] if end - begin < len(rows) else lines
            pieces.append(self._signal(index + begin, some, off, [pulse[begin:end] for pulse in pulses]))

    def _take_plain(self, fast: Kernels, wave: Wave, rows: NDArray[np.int16], index: int, pieces: list[Piece]) -> bool:
        """Samples as they nearly always are, none missing and no lead off; False, and nothing changed, for others."""
        limit = round(self.settings.lead_off_seconds * self.rate) - len(rows)
        for channel in self.channels:
            if channel.off or channel.line.stood > limit:
                return False
        known = self._terms_of(wave)
        heard = fast.hear(rows, known.table, len(self.channels), MISSING, TAIL)
        if heard is None:
            return False
        signals, lines = heard
        leads = len(self.channels)
        for number, channel in enumerate(self.channels):
            channel.take_heard(signals[number], lines[number])
        for number, channel in enumerate(self.pulses, leads):
            channel.last, channel.last_mv = lines[number][0], float(signals[number, -1])
        second = signals[1] if leads > 1 else None
        pulses = tuple(signals[leads:]) if self.pulses else ()
        pieces.append(Signal(index, signals[0], False, second, False, pulses))
        return True

    def _terms_of(self, wave: Wave) -> Terms:
        known = self._read_by
        if known is None or known.gain != wave.gain or known.baseline != wave.baseline:
            known = self._read_by = terms(wave, [*self.channels, *self.pulses])
        return known

    def _lead_back(self, index: int, off: list[bool], pieces: list[Piece]) -> None:
        """Leads that were off and are on again begin anew; the bed does where no lead goes on."""
        back = [number for number, channel in enumerate(self.channels) if channel.off and not off[number]]
        goes_on = any(not channel.off and not off[number] for number, channel in enumerate(self.channels))
        if back and not goes_on:
            pieces.append(Begin(index, self.rate, ResetReason.LEAD_WAS_OFF))
        elif back:
            pieces.extend(Begin(index, self.rate, ResetReason.LEAD_WAS_OFF, lead=number) for number in back)
        for number, channel in enumerate(self.channels):
            channel.off = off[number]
