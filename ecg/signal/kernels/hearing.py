"""A message's samples, compiled: what `monitor.ward.channels` and `lead_off` do where nothing is odd."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def _standing(rows: Any, column: int, tail: int, lowest: float, highest: float, adjacent: bool, line: Any) -> bool:
    """How the line stands after these codes (`lead_off.Line`): code, same, stood, turn; False where they do not tell.

    tail: samples that tell it. lowest, highest: codes that are a rail, or beyond. adjacent: neighbouring codes are one.
    """
    count = len(rows)
    first = max(count - tail, 0)
    low = high = np.int64(rows[first, column])
    for place in range(first + 1, count):
        code = np.int64(rows[place, column])
        low, high = min(low, code), max(high, code)
    if high - low < 2 or low <= lowest or high >= highest:
        return False
    last, begin = np.int64(rows[count - 1, column]), count - 1
    while rows[begin - 1, column] == last:
        begin -= 1
    before, same = np.int64(rows[begin - 1, column]), count - begin
    line[0], line[1], line[2], line[3] = last, same, same, 0
    if adjacent and abs(last - before) <= 1:
        begin -= 1
        while rows[begin - 1, column] == last or rows[begin - 1, column] == before:
            begin -= 1
        line[2], line[3] = count - begin, last - before
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def hear(rows: Any, terms: Any, leads: int, missing: int, tail: int, signals: Any, lines: Any) -> bool:
    """Codes of some columns in their units, and how the lines of the first `leads` of them stand; False for odd ones.

    rows: int16 [n, columns]. terms: float64 [k, 6], of each signal its column, baseline and gain, the codes that are a
    rail, and whether neighbouring codes are one. missing: code of what is missing, which is odd. signals: float32
    [k, n], lines: int64 [k, 4], filled; the last code stands first in each line.
    """
    count = len(rows)
    for one in range(len(terms)):
        column, baseline, gain = int(terms[one, 0]), terms[one, 1], terms[one, 2]
        for place in range(count):
            code = rows[place, column]
            if code == missing:
                return False
            signals[one, place] = (np.float64(code) - baseline) / gain
        lines[one, 0] = rows[count - 1, column]
        if one < leads:
            lowest, highest, adjacent = terms[one, 3], terms[one, 4], terms[one, 5] > 0
            if not _standing(rows, column, tail, lowest, highest, adjacent, lines[one]):
                return False
    return True
