"""From samples that stand in order to signal: in mV, with the leads that are off, for the leads that are listened to.

Nearly all messages are plain: none of their samples is missing, and no lead is off. Those of many beds are heard in one
call where there are compiled kernels; everything else is told message by message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.records.record import MISSING
from ecg.settings import MonitorSettings
from ecg.signal import compiled
from ecg.wire.messages import Wave, rows_of
from monitor.ward.channels import Channel, Terms, spans, terms
from monitor.ward.events import ResetReason
from monitor.ward.lead_off import TAIL, Line
from monitor.ward.pieces import Begin, Piece, Signal

ODD: Final = 1 << 62
"""For so long has a line stood of which nothing is known, or whose lead is off."""
Signals = list[NDArray[np.float32]]


class Unheard(NamedTuple):
    """Samples that have been accepted: those of a message, or its end where it repeats others.

    samples: int16 little-endian, of so many columns. table: terms of all signals, of which so many are leads (see
    `Kernels.hear`). at: index of the first. known: what they are read by.
    """

    samples: bytes
    columns: int
    table: NDArray[np.float64]
    leads: int
    at: int
    known: Terms


class Plain(NamedTuple):
    """What samples say of which none is odd: the signals in their units, and how the lines stand after them.

    lines: int64 [all, 4], ends: float64 [all], in the signals' units; those of these samples from row `first` on.
    stood: samples for which the line that has stood the longest has.
    """

    signals: Signals
    lines: NDArray[np.int64]
    ends: NDArray[np.float64]
    first: int
    stood: int


@dataclass(slots=True, kw_only=True)
class Listener:
    """The leads and pulses of a stream, and how they stand.

    rate: Hz. channels: the leads that are read, the first choice first. pulses: those that show the heart's pulse.
    """

    settings: MonitorSettings
    rate: float = 0.0
    channels: list[Channel] = field(default_factory=lambda: [Channel(column=0)])
    pulses: list[Channel] = field(default_factory=list)
    _read_by: Terms | None = None
    _later: Plain | None = None
    """What plain samples have said since the channels were told: they are when they are asked."""
    _stood: int = ODD

    def settle(self) -> None:
        """Bring the channels up to date. To be called before they are asked for more than their columns, or if off."""
        later, self._later = self._later, None
        if later is not None:
            lines, ends = later.lines[later.first :].tolist(), later.ends[later.first :].tolist()
            for channel, line, end in zip(self.channels, lines, ends, strict=False):
                channel.take_heard(Line(*line), end)
            for number, channel in enumerate(self.pulses, len(self.channels)):
                channel.last, channel.last_mv = lines[number][0], ends[number]

    @property
    def limit(self) -> int:
        """Samples for which a line must stand to be off."""
        return round(self.settings.lead_off_seconds * self.rate)

    def read_by(self) -> tuple[Terms, int] | None:
        """What samples are read by, and for how long the line that has stood the longest has; None where that is not
        known, or a lead is off.
        """
        return None if self._read_by is None or self._stood == ODD else (self._read_by, self._stood)

    def told(self, lines: NDArray[np.int64], ends: NDArray[np.float64], stood: int) -> None:
        """More samples were heard elsewhere, and what they say: see `Plain`."""
        self._later, self._stood = Plain([], lines, ends, 0, stood), stood

    @property
    def column(self) -> int:
        """Column of the lead that is read first."""
        return self.channels[0].column

    @property
    def lead_off(self) -> bool:
        """Does no lead give a signal?."""
        return all(channel.off for channel in self.channels)

    def unheard(self, index: int, samples: bytes, wave: Wave) -> Unheard:
        """Samples of a message that are to be heard."""
        known = self._read_by
        if known is None or known.gain != wave.gain or known.baseline != wave.baseline:
            known = self._read_by = terms(wave, [*self.channels, *self.pulses])
        return Unheard(samples, len(wave.leads), known.table, len(self.channels), index, known)

    def hear(self, unheard: Unheard, plain: Plain | None) -> list[Piece]:
        """What the next samples are. plain: what `heard` says of them."""
        limit = self.limit
        if plain is not None and self._stood <= limit - len(plain.signals[0]):
            self._later, self._stood = plain, plain.stood
            signals, leads = plain.signals, unheard.leads
            second = signals[1] if leads > 1 else None
            pulses = tuple(signals[leads:]) if len(signals) > leads else ()
            return [Signal(unheard.at, signals[0], False, second, False, pulses)]
        self.settle()
        known, index, rows = unheard.known, unheard.at, rows_of(unheard.samples, unheard.columns)
        lines = [channel.take(known, rows[:, channel.column]) for channel in self.channels]
        shown = [channel.take(known, rows[:, channel.column]) for channel in self.pulses]
        parts = [channel.hear(known, rows[:, channel.column], limit) for channel in self.channels]
        pieces: list[Piece] = []
        for begin, end, off in spans(parts):
            self._lead_back(index + begin, off, pieces)
            some = [line[begin:end] for line in lines] if end - begin < len(rows) else lines
            pieces.append(self.signal(index + begin, some, off, [pulse[begin:end] for pulse in shown]))
        self._stood = ODD if any(one.off for one in self.channels) else max(one.line.stood for one in self.channels)
        return pieces

    @staticmethod
    def signal(index: int, lines: Signals, off: list[bool], pulses: Signals) -> Signal:
        """Signal of one or two leads."""
        second = lines[1] if len(lines) > 1 else None
        return Signal(index, lines[0], off[0], second, len(off) > 1 and off[1], tuple(pulses))

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


def heard(unheard: list[Unheard]) -> list[Plain | None]:
    """What samples say of which none is odd, of many messages at once; None for others, and where NumPy does it all."""
    fast = compiled.kernels()
    if not fast:
        return [None] * len(unheard)
    plan, signals, lines, ends, stood = fast.hear(unheard, MISSING, TAIL)
    found: list[Plain | None] = []
    for (_, _, first, _, place), (_, _, after, _, end), longest in zip(plan, plan[1:], stood, strict=False):
        if longest >= 0:
            length = (end - place) // (after - first)
            parts = [signals[at : at + length] for at in range(place, end, length)]
            found.append(Plain(parts, lines, ends, first, longest))
        else:
            found.append(None)
    return found
