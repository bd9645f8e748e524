"""The signals of a stream that are listened to: one or two ECG leads, and a pulse where the bed sends one."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.records import leads
from ecg.records.record import MISSING, hold
from ecg.settings import MonitorSettings
from ecg.wire.messages import Wave
from monitor.ward.lead_off import DITHER_MV, NEAR, RAIL, Line, hear


class Terms(NamedTuple):
    """What the signals of a stream are read by, as long as its messages say so. table: see `Kernels.hear`."""

    gain: list[float]
    baseline: list[float]
    table: NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class Channel:
    """One signal of a stream and how it stands. column: in the samples. last: its last code, ADU; last_mv: the same in
    its unit. off: it gives no signal.
    """

    column: int
    last: int = MISSING
    last_mv: float = 0.0
    line: Line = field(default_factory=Line)
    off: bool = False

    def attached(self) -> None:
        """Nothing is known of how the line has stood."""
        self.line, self.off = Line(), False

    def millivolts(self, wave: Wave | Terms, codes: NDArray[np.int16]) -> NDArray[np.float32]:
        """Codes of this signal in its unit: float32 [n]."""
        scaled = (codes.astype(np.float64) - wave.baseline[self.column]) / wave.gain[self.column]
        return scaled.astype(np.float32)

    def take(self, wave: Wave | Terms, codes: NDArray[np.int16]) -> NDArray[np.float32]:
        """The next codes of this signal in its unit, with the last value held where one is missing: float32 [n]."""
        held = hold(codes, round(wave.baseline[self.column]) if self.last == MISSING else self.last)
        signal = self.millivolts(wave, held)
        self.last, self.last_mv = int(held[-1]), float(signal[-1])
        return signal

    def take_heard(self, line: Line, last_mv: float) -> None:
        """The line and the value after codes that compiled code has heard."""
        self.line, self.last, self.last_mv = line, line.code, last_mv

    def hear(self, wave: Wave | Terms, codes: NDArray[np.int16], limit: int) -> list[tuple[int, int, bool]]:
        """Where the lead is off in the next codes: see monitor.ward.lead_off.hear."""
        self.line, parts = hear(self.line, codes, wave.gain[self.column], wave.baseline[self.column], limit)
        return parts

    def bridge(self, wave: Wave, code: int, gap: int) -> NDArray[np.float32]:
        """A straight line from the last value to the code after a gap of so many samples: float32 [gap]."""
        until = self.last_mv if code == MISSING else self.millivolts(wave, np.array([code]))[0]
        line: NDArray[np.float32] = np.linspace(self.last_mv, until, gap + 2, dtype=np.float32)[1:-1]
        return line


def terms(wave: Wave, channels: list[Channel]) -> Terms:
    """What these signals of a message are read by."""
    table = np.empty((len(channels), 6))
    for row, channel in zip(table, channels, strict=True):
        gain, baseline = wave.gain[channel.column], wave.baseline[channel.column]
        whole = round(baseline)
        bounds = max(-RAIL, whole - NEAR), min(RAIL, whole + NEAR)
        row[:] = channel.column, baseline, gain, *bounds, gain * DITHER_MV >= 1
    return Terms(wave.gain, wave.baseline, table)


def read_columns(wave: Wave, settings: MonitorSettings) -> list[int]:
    """Columns of the one or two leads that are read, the first choice first; the first signal where none is ECG."""
    columns = leads.ecg_columns(wave.leads, wave.units, settings.lead)
    return columns[: 2 if settings.second_lead else 1] or [0]


def spans(parts: list[list[tuple[int, int, bool]]]) -> list[tuple[int, int, list[bool]]]:
    """Where no lead changes: (begin, end, is each lead off) that follow one another. parts: of each lead."""
    if all(len(one) == 1 for one in parts):
        begin, end, _ = parts[0][0]
        return [(begin, end, [one[0][2] for one in parts])]
    edges = sorted({edge for one in parts for begin, end, _ in one for edge in (begin, end)})
    return [
        (begin, end, [next(off for start, stop, off in one if start <= begin < stop) for one in parts])
        for begin, end in pairwise(edges)
    ]
