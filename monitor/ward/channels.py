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
from ecg.signal.compiled import Kernels
from ecg.wire.messages import Wave
from monitor.ward.lead_off import DITHER_MV, NEAR, RAIL, TAIL, Line, hear


class Heard(NamedTuple):
    """A message's samples of one signal in its unit, float32 [n]; the line after them, and the last code."""

    signal: NDArray[np.float32]
    line: Line
    last: int


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

    def millivolts(self, wave: Wave, codes: NDArray[np.int16]) -> NDArray[np.float32]:
        """Codes of this signal in its unit: float32 [n]."""
        scaled = (codes.astype(np.float64) - wave.baseline[self.column]) / wave.gain[self.column]
        return scaled.astype(np.float32)

    def take(self, wave: Wave, codes: NDArray[np.int16]) -> NDArray[np.float32]:
        """The next codes of this signal in its unit, with the last value held where one is missing: float32 [n]."""
        held = hold(codes, round(wave.baseline[self.column]) if self.last == MISSING else self.last)
        signal = self.millivolts(wave, held)
        self.last, self.last_mv = int(held[-1]), float(signal[-1])
        return signal

    def heard(self, fast: Kernels, wave: Wave, rows: NDArray[np.int16], limit: int) -> Heard | None:
        """`take` and `hear` at once, nothing changed yet; None where a code is missing or the lead may be off.

        rows: int16 [n, leads], all signals of the message. limit: as for `hear`; 0 where nobody asks for the line.
        """
        column = self.column
        gain, baseline = float(wave.gain[column]), float(wave.baseline[column])
        if not limit:
            signal, (all_there, *_) = fast.hear(rows, column, baseline, gain, MISSING, 0, (0, 0), False)
            return Heard(signal, self.line, int(rows[-1, column])) if all_there else None
        if self.off or self.line.stood + len(rows) > limit:
            return None
        whole = round(baseline)
        bounds = max(-RAIL, whole - NEAR), min(RAIL, whole + NEAR)
        adjacent = gain * DITHER_MV >= 1
        signal, (told, code, *line) = fast.hear(rows, column, baseline, gain, MISSING, TAIL, bounds, adjacent)
        return Heard(signal, Line(code, *line), code) if told else None

    def take_heard(self, heard: Heard) -> NDArray[np.float32]:
        """What was heard counts: the signal in its unit, float32 [n]."""
        self.line, self.last, self.last_mv = heard.line, heard.last, float(heard.signal[-1])
        return heard.signal

    def hear(self, wave: Wave, codes: NDArray[np.int16], limit: int) -> list[tuple[int, int, bool]]:
        """Where the lead is off in the next codes: see monitor.ward.lead_off.hear."""
        self.line, parts = hear(self.line, codes, wave.gain[self.column], wave.baseline[self.column], limit)
        return parts

    def bridge(self, wave: Wave, code: int, gap: int) -> NDArray[np.float32]:
        """A straight line from the last value to the code after a gap of so many samples: float32 [gap]."""
        until = self.last_mv if code == MISSING else self.millivolts(wave, np.array([code]))[0]
        line: NDArray[np.float32] = np.linspace(self.last_mv, until, gap + 2, dtype=np.float32)[1:-1]
        return line


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
