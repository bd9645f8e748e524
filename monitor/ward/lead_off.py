"""Is the lead off? The one detector: the signal path, the bed's state and the alarms all go by what it says.

A silent heart must never be shown as a lead that fell off: asystole is the graver of the two by far. So a lead is off
only where the electrode itself says so, for `lead_off_seconds` on end:

- the same code again and again, as an input that is open or shorted gives it. Two neighbouring codes count as one
  where they lie at most 1 uV apart: that is the converter's own last bit. An amplifier alone makes 4 uV peak to peak
  or more (TI ADS1298 data sheet, 150 Hz), skin and electrode add to it: the quietest two seconds of any attached
  lead in the MIT-BIH and the Challenge 2015 records, an asystole, move by 9 uV, the unplugged ones by 1.6 at most.
  With wider codes only exact repetition counts, since amplifier noise may well stay within two of them;
- a rail: the ends of 16 bits, and of 11 or 12 bits around the baseline;
- no samples at all.

A line that drifts, hums or trembles without a beat is a heart that is silent, however small its steps.

A sample is off where the line has stood for longer than the limit up to it: that depends on the samples alone, not
on how they were cut into messages.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecg.records.record import MISSING

DITHER_MV: Final = 0.001
"""Neighbouring codes no further apart are one and the same."""
RAIL: Final = 32_703
"""Codes from there on, to either side, are at the end of 16 bits: within a thousandth of the range."""
HALVES: Final = (1024, 2048)
"""Half the range of an 11-bit and of a 12-bit converter: the two codes at either end are its rails."""
NEAR: Final = HALVES[0] - 2
"""Within so many codes of the baseline there is no rail."""
TAIL: Final = 24

Codes = NDArray[np.int16]


class Line(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one bed's line: a value that goes in and comes out.

    code: the last one, ADU; MISSING before the first. same: samples for which it has stood. stood: samples for which
    the line has stood, a neighbouring code included. turn: from the code before it to this one where they are
    neighbours, -1 or 1, else 0.
    """

    code: int = MISSING
    same: int = 0
    stood: int = 0
    turn: int = 0

    def possible(self) -> bool:
        """Could a line be like that? One that was saved elsewhere may be anything."""
        return MISSING <= self.code <= -MISSING and 0 <= self.same <= self.stood <= 1 << 53 and abs(self.turn) <= 1


def hear(
    line: Line, samples: Codes, gain: float, baseline: float, limit: int
) -> tuple[Line, list[tuple[int, int, bool]]]:
    """The line after these samples, and where the lead is off: (begin, end, off) parts that follow one another.

    samples: int16 [n], n > 0, ADU, the next of the analysed lead; MISSING where there is none. gain: ADU/mV.
    baseline: ADU. limit: samples for which a line must stand to be off.
    """
    count, adjacent = len(samples), gain * DITHER_MV >= 1
    if line.stood + count <= limit:  # it cannot be off yet: the end of the samples nearly always says all there is
        after = _at_the_end(samples[-TAIL:].tolist(), round(baseline), adjacent)
        if after is not None:
            return after, [(0, count, False)]
    codes = _held(samples, round(baseline), line.code)
    steps = np.diff(codes, prepend=np.int32(line.code))
    at = np.flatnonzero(steps)
    begins = np.concatenate(([-line.same], at))
    steps = steps[at]
    if adjacent:
        before = np.concatenate(([line.turn], steps[:-1]))
        near = np.abs(steps) == 1
        anew = np.where(near, np.where(before == -steps, -line.stood, begins[:-1]), at)
        since = np.maximum.accumulate(np.concatenate(([-line.stood], anew)))
        turn = line.turn if not len(at) else int(steps[-1]) if near[-1] else 0
    else:
        since, turn = begins, 0
    after = Line(int(codes[-1]), count - int(begins[-1]), count - int(since[-1]), turn)
    first = np.maximum(np.maximum(since + limit, begins), 0)
    ends = np.append(at, count)
    standing = np.flatnonzero(first < ends)
    if not len(standing):
        return after, [(0, count, False)]
    off = np.zeros(count + 2, bool)
    for run in standing:
        off[first[run] + 1 : ends[run] + 1] = True
    edges = np.unique(np.concatenate(([0], np.flatnonzero(np.diff(off)), [count])))
    return after, [(begin, end, bool(off[begin + 1])) for begin, end in pairwise(edges.tolist())]


def _at_the_end(codes: list[int], baseline: int, adjacent: bool) -> Line | None:
    """The line after these codes, whatever came before; None where they alone do not tell."""
    low, high = min(codes), max(codes)
    if high - low < 2 or low <= max(-RAIL, baseline - NEAR) or high >= min(RAIL, baseline + NEAR):
        return None
    code, begin = codes[-1], len(codes) - 1
    while codes[begin - 1] == code:
        begin -= 1
    before, same = codes[begin - 1], len(codes) - begin
    if not adjacent or abs(code - before) > 1:
        return Line(code, same, same)
    begin -= 1
    while codes[begin - 1] in (code, before):
        begin -= 1
    return Line(code, same, len(codes) - begin, code - before)


def _held(samples: Codes, baseline: int, before: int) -> NDArray[np.int32]:
    """Codes with those that say nothing (missing, or at a rail) replaced by the last that does: int32 [n]."""
    codes = samples.astype(np.int32)
    low, high = int(codes.min()), int(codes.max())
    if max(-RAIL, baseline - NEAR) < low and high < min(RAIL, baseline + NEAR):
        return codes
    silent = np.abs(codes) >= RAIL
    for half in HALVES:
        place = codes - baseline
        silent |= (place == -half) | (place == 1 - half) | (place == half - 2) | (place == half - 1)
    source = np.maximum.accumulate(np.where(silent, -1, np.arange(len(codes))))
    return np.where(source >= 0, codes[np.maximum(source, 0)], np.int32(before))
