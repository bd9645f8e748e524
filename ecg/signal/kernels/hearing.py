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
def hear_one(rows: Any, terms: Any, leads: int, missing: int, tail: int, signals: Any, lines: Any, ends: Any) -> int:
    """Codes of some columns in their units, and how the lines of the first `leads` of them stand.

    rows: int16 [n, columns]. terms: float64 [k, 6], of each signal its column, baseline and gain, the codes that are a
    rail, and whether neighbouring codes are one. missing: code of what is missing, which is odd. signals: float32
    [k, n], lines: int64 [k, 4], ends: float64 [k], the last of each, filled; the last code stands first in each line.
    Returns for how many samples the line that has stood the longest has; -1 for odd codes.
    """
    count, longest = len(rows), 0
    for one in range(len(terms)):
        column, baseline, gain = int(terms[one, 0]), terms[one, 1], terms[one, 2]
        for place in range(count):
            code = rows[place, column]
            if code == missing:
                return -1
            signals[one, place] = (np.float64(code) - baseline) / gain
        lines[one, 0], ends[one] = rows[count - 1, column], signals[one, count - 1]
        if one < leads:
            lowest, highest, adjacent = terms[one, 3], terms[one, 4], terms[one, 5] > 0
            if not _standing(rows, column, tail, lowest, highest, adjacent, lines[one]):
                return -1
            longest = max(longest, lines[one, 2])
    return longest


@njit(cache=True, nogil=True, error_model="numpy")
def hear(flat: Any, plan: Any, terms: Any, missing: int, tail: int, out: tuple[Any, ...]) -> None:
    """`hear_one` of many messages, one behind the other.

    flat: int16. terms: of all signals. plan: int64 [messages + 1, 5], where in flat each message begins, and how many
    columns its rows have; where in terms its signals begin, how many are leads, and where the first of them goes.
    out: signals, float32, one behind the other; their lines and ends; and what `hear_one` says of each message.
    """
    signals, lines, ends, stood = out
    for one in range(len(plan) - 1):
        begin, columns, low, leads, place = plan[one]
        high = plan[one + 1, 2]
        count = (plan[one + 1, 0] - begin) // columns
        rows = flat[begin : plan[one + 1, 0]].reshape(count, columns)
        made = signals[place : plan[one + 1, 4]].reshape(high - low, count)
        stood[one] = hear_one(rows, terms[low:high], leads, missing, tail, made, lines[low:high], ends[low:high])
