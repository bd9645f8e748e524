"""From wave messages in any order to one bed's unbroken signal.

Chunks are ordered by sample index; a repeat is dropped, a missing chunk is waited for and then counted as lost. A short
gap is bridged by a straight line, a longer one begins the signal anew; so do a lead that was off, and a new stream.
What comes out depends on the samples alone, not on how they were cut into chunks.
"""

from __future__ import annotations

from bisect import insort
from copy import copy
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, get_type_hints

import numpy as np
from numpy.typing import NDArray

from ecg.records.record import MISSING, hold, pick_lead
from ecg.settings import MonitorSettings
from ecg.wire.messages import MessageError, Wave, decode_wave, encode_wave, wave_samples
from monitor.ward.events import ResetReason
from monitor.ward.lead_off import Line, hear
from monitor.ward.ledger import Ledger, RunCount
from monitor.ward.pieces import Begin, Block, End, Piece, Signal

MOST_PENDING = 64
"""Chunks of one bed kept while an earlier one is missing."""


@dataclass(slots=True, order=True)
class Waiting:
    """A chunk ahead of its turn."""

    index: int
    wave: Wave = field(compare=False)
    received_ns: int = field(compare=False)

    @property
    def samples(self) -> int:
        """Samples per lead."""
        return len(self.wave.samples) // (2 * len(self.wave.leads))


@dataclass(slots=True, kw_only=True)
class Intake:
    """One bed's incoming signal.

    stream, rate, leads: of the present stream. column: the analysed lead. next: index of the next sample needed.
    blocks: what has been taken since the owner last emptied the list.
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
    _past: list[str] = field(default_factory=list)

    def save(self) -> dict[str, Any]:
        """A copy of all that is remembered, by the names of REMEMBERED: plain values, dataclasses and structs."""
        return {name: copy(getattr(self, name)) for name in REMEMBERED}

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what `save` gave. Raises ValueError where it is not what an intake remembers."""
        if saved.keys() != REMEMBERED.keys():
            raise ValueError("an intake of other parts")
        for name, value in saved.items():
            setattr(self, name, copy(value))
        if not 100 <= self.rate <= 10_000 or not 0 <= self.column < len(self.leads) or not 0 <= self.next <= 1 << 53:
            raise ValueError(f"a stream at sample {self.next}, {self.rate:g} Hz, lead {self.column}")
        if not MISSING <= self._last <= -MISSING or not isfinite(self._last_mv):
            raise ValueError(f"a last sample of {self._last} ADU, {self._last_mv:g} mV")
        if not self._line.possible():
            raise ValueError(f"a line that has stood like {self._line}")
        for waiting in self._waiting:
            self._check_terms(decode_wave(encode_wave(waiting.wave)))
            if waiting.index != waiting.wave.index:
                raise ValueError("a chunk that waits in another's place")

    def is_new(self, wave: Wave) -> bool:
        """Does this message begin another stream?."""
        return wave.stream != self.stream and wave.stream not in self._past

    def offer(self, wave: Wave, received_ns: int = 0) -> list[Piece]:
        """Take one checked wave message. Raises MessageError where it cannot belong to this stream."""
        pieces: list[Piece] = []
        if wave.stream in self._past:
            self.ledger.repeated += len(wave.samples) // (2 * len(wave.leads))
            return pieces
        if wave.stream != self.stream:
            pieces = self.end()
            pieces.append(self._begin_stream(wave))
        else:
            self._check_terms(wave)
            if self.ended:  # said to be over, but goes on
                self.ended = False
                self._line, self.lead_off = Line(), False
                pieces.append(Begin(max(wave.index, self.next), self.rate, ResetReason.RESUMED))
                self._skip(max(wave.index, self.next))
        self._accept(wave, received_ns, pieces)
        return pieces

    def forgo(self, wave: Wave) -> list[Piece]:
        """A checked message that there is no time to read: its samples are lost. `resume` must follow.

        Raises MessageError where it cannot belong to this stream.
        """
        pieces: list[Piece] = []
        count = len(wave.samples) // (2 * len(wave.leads))
        if wave.stream in self._past or (wave.stream == self.stream and wave.index + count <= self.next):
            self.ledger.repeated += count
            return pieces
        if wave.stream != self.stream:
            pieces = self.end()
            pieces.append(self._begin_stream(wave))
        self._check_terms(wave)
        self._skip(wave.index + count)
        self._waiting = [one for one in self._waiting if one.index + one.samples > self.next]
        return pieces

    def resume(self, seconds: float) -> list[Piece]:
        """After messages with so much signal that were forgone: it begins anew behind them."""
        if not self.stream or self.ended:
            return []
        self._line, self.lead_off, self._last = Line(), False, MISSING
        pieces: list[Piece] = [Begin(self.next, self.rate, ResetReason.OVERLOAD, seconds)]
        self._take_waiting(pieces)
        return pieces

    def _check_terms(self, wave: Wave) -> None:
        """Raises MessageError where rate or leads are not those of the stream."""
        if wave.rate != self.rate or wave.leads != self.leads:
            raise MessageError(
                f"{wave.rate:g} Hz and leads {wave.leads} in stream {wave.stream}, which has {self.rate:g} Hz and "
                f"leads {self.leads}"
            )

    def end(self) -> list[Piece]:
        """The stream is over: give up waiting for what is missing."""
        pieces: list[Piece] = []
        if self.stream and not self.ended:
            while self._waiting:
                self._bridge(self._waiting[0].index, pieces)
                self._take_waiting(pieces)
            pieces.append(End())
            self.ended = True
        return pieces

    def _begin_stream(self, wave: Wave) -> Begin:
        """Take over the terms of a new stream."""
        reason = ResetReason.NEW_RECORD if self.stream else ResetReason.NEW_BED
        if self.stream:
            self._past = [*self._past[-7:], self.stream]
        self._joined = not self.ledger.knows(self.bed, wave.stream)
        self.stream, self.record, self.rate, self.leads = wave.stream, wave.record, wave.rate, list(wave.leads)
        self.column = pick_lead(self.leads, self.settings.lead)
        self.ended, self.lead_off, self._line, self._last = False, False, Line(), MISSING
        late = self._patience(wave)
        # The first chunk heard may have overtaken others; only a monitor that joins late begins in mid-stream.
        self.next = wave.index if wave.index > late else 0
        if not self._joined:
            self._count.lost += self.next
        return Begin(self.next, self.rate, reason)

    @property
    def _count(self) -> RunCount:
        return self.ledger.run(self.bed, self.stream)

    def _patience(self, wave: Wave) -> int:
        """How far ahead other chunks may be before a missing one is given up, samples."""
        length = len(wave.samples) // (2 * len(wave.leads))
        return max(round(self.settings.late_seconds * self.rate), 2 * length)

    def _accept(self, wave: Wave, received_ns: int, pieces: list[Piece]) -> None:
        count = len(wave.samples) // (2 * len(wave.leads))
        if wave.index + count <= self.next:
            self.ledger.repeated += count
            return
        if wave.index > self.next:
            if any(waiting.index == wave.index for waiting in self._waiting):
                self.ledger.repeated += count
                return
            insort(self._waiting, Waiting(wave.index, wave, received_ns))
            newest = self._waiting[-1]
            reach = newest.index + len(newest.wave.samples) // (2 * len(newest.wave.leads))
            while self._waiting and (
                reach - self.next > self._patience(wave) + count or len(self._waiting) > MOST_PENDING
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


REMEMBERED: Final = {
    name: kind for name, kind in get_type_hints(Intake).items() if name not in ("bed", "settings", "ledger", "blocks")
}
"""Fields of an intake that are its memory, and their types."""
