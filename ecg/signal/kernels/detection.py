"""`ecg.signal.detector.find`, compiled: lead by lead, candidate by candidate."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal import detector as said
from ecg.signal.kernels.filtering import Rows
from ecg.signal.kernels.sums import clip, total
from ecg.signal.recent import HISTORY
from ecg.signal.resampler import MODEL_RATE

AVERAGE, RISE_BEFORE, WAIT_AFTER, LEARNING, SKIP = (
    said.AVERAGE,
    said.RISE_BEFORE,
    said.WAIT_AFTER,
    said.LEARNING,
    said.SKIP,
)
REFRACTORY, HALF_SHAPE, SHAPE, THRESHOLD, STILL_RISING = (
    said.REFRACTORY,
    said.HALF_SHAPE,
    said.SHAPE,
    said.THRESHOLD,
    said.STILL_RISING,
)
UNLIKE, UNLIKE_PER_NOISE, UNLIKE_FREE, SMALL = said.UNLIKE, said.UNLIKE_PER_NOISE, said.UNLIKE_FREE, said.SMALL
T_WAVE_SPAN, T_WAVE_SHARE, LEAST_MV = said.T_WAVE_SPAN, said.T_WAVE_SHARE, said.LEAST_MV
UNSETTLED, DELAY = said.UNSETTLED, said.DELAY
ANSWER, ANSWERED, ANSWERED_LEAST, REMAINDER = said.ANSWER, said.ANSWERED, said.ANSWERED_LEAST, said.REMAINDER


class Levels(NamedTuple):
    """The detector's state, arrays [slots, ...], under their names there."""

    rate: Any
    begin: Any
    paced_at: Any
    paced_mv: Any
    signal: Any
    noise: Any
    size: Any
    beat_rr: Any
    last: Any
    last_height: Any
    shape: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _is_maximum(envelope: Any, column: int) -> bool:
    here = envelope[column]
    if not here > 0:
        return False
    for step in range(1, RISE_BEFORE + 1):
        if not here > envelope[column - step]:
            return False
    for step in range(1, WAIT_AFTER + 1):
        if not here >= envelope[column + step]:
            return False
    rising = envelope[column + WAIT_AFTER]
    return not (rising > STILL_RISING * here and rising > envelope[column + WAIT_AFTER - 2])


@njit(cache=True, nogil=True, error_model="numpy")
def _tops(line: Any, low: int, high: int, tops: Any) -> int:
    """Where a line neither falls before nor rises after: into tops, and how many. Without a branch for each sample."""
    made = 0
    for column in range(low, high):
        tops[made] = column
        made += (line[column] > line[column - 1]) & (line[column] >= line[column + 1])
    return made


@njit(cache=True, nogil=True, error_model="numpy")
def _decide(levels: Levels, slot: int, at: int, tall: float, wide: float, form: Any, work: Any) -> bool:
    level, noise, typical = levels.signal[slot], levels.noise[slot], levels.size[slot]
    mean_rr, last_height = levels.beat_rr[slot], levels.last_height[slot]
    since = at - levels.last[slot]
    if not typical > 0:
        typical = wide
    known = levels.shape[slot]
    for place in range(SHAPE):
        work[0, place] = known[place] * known[place]
        work[1, place] = form[place] * known[place]
    norm = np.sqrt(total(work[0], 0, SHAPE))
    alike = total(work[1], 0, SHAPE) / max(norm, 0.3) if norm > 0.3 else 1.0
    doubt = clip((SMALL - wide / max(typical, 1e-9)) / (0.5 * SMALL), 0.0, 1.0)
    unlike = clip(UNLIKE_PER_NOISE * noise / max(level, 1e-9) - UNLIKE_FREE, 0.0, UNLIKE)
    judged = tall * (1 - unlike * (1 - max(alike, 0.0)) * doubt)
    threshold = noise + THRESHOLD * (level - noise)
    alone, spike = tall, levels.paced_at[slot, 0] * MODEL_RATE / levels.rate[slot] + DELAY
    least = LEAST_MV
    if abs(spike - at) <= ANSWER:
        least = max(LEAST_MV, REMAINDER * levels.paced_mv[slot])
        if tall > ANSWERED_LEAST * threshold:
            tall, judged = tall * ANSWERED, judged * ANSWERED
    overdue = since / mean_rr - 1.3
    if overdue > 0:
        threshold = threshold * max(0.35, 1 - 0.5 * overdue)
    after_beat = since < T_WAVE_SPAN and tall < T_WAVE_SHARE * last_height
    yes = since > REFRACTORY and judged > threshold and not after_beat and wide >= least
    fade = 0.9 if since > 400 else 1.0
    if yes:
        if since > 37 and since < 220:
            levels.beat_rr[slot] = mean_rr + 0.2 * (since - mean_rr)
        levels.signal[slot] = fade * (level + 0.15 * (min(tall, 1.8 * level) - level))
        levels.size[slot] = fade * (typical + 0.15 * (min(wide, 1.8 * typical) - typical))
        for place in range(SHAPE):
            known[place] = known[place] + 0.1 * (form[place] - known[place])
        levels.last[slot] = at
        levels.last_height[slot] = tall
    else:
        levels.signal[slot] = fade * level
        levels.size[slot] = fade * typical
        levels.noise[slot] = noise + 0.1 * (min(alone, 0.6 * level) - noise)
    return yes


@njit(cache=True, nogil=True, error_model="numpy")
def find(levels: Levels, slots: Any, order: Any, lines: Rows, first: Any, counts: Any, out: Any) -> int:
    """R-peaks of the rows in this order. lines: what is kept and new of each; counts: new ones of each.

    out: (rows, places, fractions), room for all of them. Returns their number.
    """
    rows, places, fractions = out
    made = 0
    form, work, tops = np.empty(SHAPE), np.empty((2, SHAPE)), np.empty(HISTORY + counts.max(), np.int64)
    for row in order:
        count = counts[row]
        length = HISTORY + count - UNSETTLED
        slot, begin, end = slots[row], levels.begin[slots[row]], first[row] + length
        if count == 0 or not end >= begin + LEARNING:
            continue
        where, column = lines.row[row], lines.begin[row]
        model, band = lines.model[where, column : column + length], lines.band[where, column : column + length]
        low, line = length - count - WAIT_AFTER, lines.envelope[where, column : column + length]
        if end - count < begin + LEARNING:
            low = begin - first[row]
            top = line[low]
            for column in range(low, min(low + LEARNING, length)):
                top = max(top, line[column])
            levels.signal[slot] = 0.6 * top
            levels.noise[slot] = 0.12 * top
        for column in tops[: _tops(line, max(low, RISE_BEFORE), length - WAIT_AFTER, tops)]:
            at = column + first[row]
            if not _is_maximum(line, column) or at < begin + SKIP:
                continue
            middle = column - AVERAGE // 2 - HALF_SHAPE
            least, most = np.inf, -np.inf
            for place in range(SHAPE):
                here = min(max(middle + place, 0), length - 1)
                form[place] = band[here]
                work[0, place] = form[place] * form[place]
                least, most = min(least, model[here]), max(most, model[here])
            size = np.sqrt(total(work[0], 0, SHAPE)) + 1e-9
            for place in range(SHAPE):
                form[place] /= size
            if not _decide(levels, slot, at, line[column], most - least, form, work):
                continue
            inside = min(max(column, 1), length - 2)
            bend = line[inside - 1] - 2 * line[inside] + line[inside + 1]
            offset = 0.5 * (line[inside - 1] - line[inside + 1]) / (bend if bend < 0 else -np.inf)
            rows[made], places[made], fractions[made] = row, at, clip(offset, -0.5, 0.5)
            made += 1
    return made
