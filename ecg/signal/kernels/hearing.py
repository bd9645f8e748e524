"""A message's samples of one channel, compiled: what `monitor.ward.channels` and `lead_off` do where nothing is odd."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

ODD = (False, 0, 0, 0, 0)


@njit(cache=True, nogil=True, error_model="numpy")
def hear(
    rows: Any,
    column: int,
    baseline: float,
    gain: float,
    missing: int,
    tail: int,
    lowest: int,
    highest: int,
    adjacent: bool,
    signal: Any,
) -> tuple[Any, ...]:
    """Codes of one column in its unit, and the line after them (`lead_off.Line`): (is that all, code, same, stood,
    turn).

    rows: int16 [n, leads]. missing: code of what is missing, which is odd. tail: samples that tell how the line stands,
    0 where nobody asks; odd where they do not, or come to `lowest` or `highest`. adjacent: neighbouring codes are one.
    signal: float32 [n], filled.
    """
    count = len(rows)
    for place in range(count):
        code = rows[place, column]
        if code == missing:
            return ODD
        signal[place] = (np.float64(code) - baseline) / gain
    if tail == 0:
        return True, 0, 0, 0, 0
    first = max(count - tail, 0)
    low = high = np.int64(rows[first, column])
    for place in range(first + 1, count):
        code = np.int64(rows[place, column])
        low, high = min(low, code), max(high, code)
    if high - low < 2 or low <= lowest or high >= highest:
        return ODD
    last, begin = np.int64(rows[count - 1, column]), count - 1
    while rows[begin - 1, column] == last:
        begin -= 1
    before, same = np.int64(rows[begin - 1, column]), count - begin
    if not adjacent or abs(last - before) > 1:
        return True, last, same, same, 0
    begin -= 1
    while rows[begin - 1, column] == last or rows[begin - 1, column] == before:
        begin -= 1
    return True, last, same, count - begin, last - before
