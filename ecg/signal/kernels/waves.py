"""`ecg.signal.p_waves.describe`, compiled, for one beat."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal import features as said
from ecg.signal import p_waves, windows
from ecg.signal.kernels.sums import clip, likeness, span, total

SAMPLES = windows.P_WAVE.stop - windows.P_WAVE.start
RAMP = np.linspace(0, 1, SAMPLES)
EDGE, LATE, TWICE, LONGER, SHORTER = p_waves.EDGE, p_waves.LATE, p_waves.TWICE, p_waves.LONGER, p_waves.SHORTER
MOST, LATE_MEMORY, MEMORY, LEAST, SHORTEST = (
    p_waves.MOST,
    p_waves.LATE_MEMORY,
    p_waves.MEMORY,
    p_waves.LEAST,
    p_waves.SHORTEST,
)
TWO = float(np.log(2))
COLUMN = {name: number for number, name in enumerate(said.FEATURES)}
CHANGE, P_SIZE = COLUMN["p_likeness_change"], COLUMN["p_size"]
PLACES = tuple(COLUMN[name] for name in p_waves.FREE)
"""Columns of the features of whole waves that there are a second time."""
FREE_PLACES = tuple(COLUMN[p_waves.KEPT + name] for name in p_waves.FREE)
"""And those of their free parts."""


class Waves(NamedTuple):
    """The state of `p_waves`, arrays [slots, ...], under its names there."""

    p_like: Any
    longest: Any
    intervals: Any
    last_usual: Any
    late_p: Any
    late_beats: Any
    late_like: Any
    p_power: Any
    p_residual: Any
    p_beats: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _level(wave: Any, above: Any) -> None:
    """`p_waves.level` of one wave."""
    first, last = total(wave, 0, EDGE) / EDGE, total(wave, SAMPLES - EDGE, SAMPLES) / EDGE
    for place in range(SAMPLES):
        above[place] = wave[place] - first - (last - first) * RAMP[place]


@njit(cache=True, nogil=True, error_model="numpy")
def _level_from(wave: Any, begin: int, above: Any) -> None:
    """`p_waves.level_from` of one wave."""
    edge = EDGE - 1 if begin > 0 else EDGE
    for place in range(SAMPLES):
        above[place] = wave[place] if begin <= place < begin + edge else 0.0
    first, last = total(above, 0, SAMPLES) / edge, total(wave, SAMPLES - EDGE, SAMPLES) / EDGE
    for place in range(SAMPLES):
        line = (place - begin) / (SAMPLES - 1 - begin)
        above[place] = wave[place] - first - (last - first) * line if place >= begin else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _part(wave: Any, begin: int, free: bool, shown: Any) -> None:
    """A late wave as it is compared: its free part levelled anew, or all of it as it is."""
    if free:
        _level_from(wave, begin, shown)
    else:
        for place in range(SAMPLES):
            shown[place] = wave[place]


@njit(cache=True, nogil=True, error_model="numpy")
def _power(one: Any, other: Any, share: float, work: Any) -> float:
    """`p_waves._power` of the difference of two waves."""
    for place in range(SAMPLES):
        apart = one[place] - other[place]
        work[place] = apart * apart
    return total(work, 0, SAMPLES) / SAMPLES / share


@njit(cache=True, nogil=True, error_model="numpy")
def describe(
    state: Waves,
    slot: int,
    wave: Any,
    usual: Any,
    size: float,
    is_usual: bool,
    alike: float,
    log_rr: float,
    to_usual: float,
    beats: float,
    begin: int,
    told: Any,
    free: bool,
    work: Any,
    rows: Any,
) -> None:
    """One beat's wave beside the usual one. told: its features go there; of a free part those of FREE_PLACES."""
    change = alike - state.p_like[slot] if beats > 0 else 0.0
    state.p_like[slot] += max(1 / max(beats, 1.0), 1 / MEMORY) * change
    whole, here, known, late, nothing = rows[0], rows[1], rows[2], rows[3], rows[4]
    _level(wave, whole)
    begin = min(max(begin, 0), SAMPLES - SHORTEST)
    share = 1 - begin / SAMPLES
    _level_from(wave, begin, here)
    _level_from(usual, begin, known)

    twice = abs(to_usual - TWO) < TWICE
    both, count = state.last_usual[slot] and is_usual and not twice, state.intervals[slot]
    further = log_rr - state.longest[slot] if count > 0 else 0.0
    pace = (LONGER if further > 0 else SHORTER) if both else 0.0
    longest = state.longest[slot] + pace * clip(further, -MOST, MOST)
    state.longest[slot] = log_rr if both and count == 0 else longest
    state.intervals[slot] = count + (1.0 if both else 0.0)
    state.last_usual[slot] = is_usual
    is_late = both and further > LATE

    learnt, count = state.late_p[slot], state.late_beats[slot]
    _part(learnt, begin, free, late)
    to_late = likeness(here, late, 0, SAMPLES, work) if count > 0 else 1.0
    mean = state.late_like[slot] + (to_late - state.late_like[slot]) / 4
    pace = max(1 / (count + 1), 1 / LATE_MEMORY) if is_late or count < 3 else 0.0
    for place in range(SAMPLES):
        learnt[place] = learnt[place] + pace * (whole[place] - learnt[place])
    state.late_like[slot] = mean
    late_beats = count + (1.0 if pace > 0 else 0.0)
    state.late_beats[slot] = late_beats
    _part(learnt, begin, free, late)

    off = _power(here, known, share, work[0])
    power, residual, count = state.p_power[slot], state.p_residual[slot], state.p_beats[slot]
    places = FREE_PLACES if free else PLACES
    told[places[0]], told[places[1]] = to_late, mean
    if not free:
        told[CHANGE] = 3 * clip(change, -1.0, 1.0)
    if count > 1:
        noise = max(residual, LEAST)
        chance = noise * (1 / clip(late_beats, 1.0, float(LATE_MEMORY)) + 1 / clip(count, 1.0, float(MEMORY - 1)))
        apart = _power(late, known, share, work[0]) / chance
        nearer = (off - _power(here, late, share, work[0])) / noise
        told[places[2]] = clip(1 - residual / max(power, LEAST), -1.0, 1.0)
        told[places[3]] = clip(math.log(max(off, LEAST) / noise), -2.0, 3.0)
        told[places[4]] = clip(math.log(max(apart, LEAST)), -2.0, 4.0)
        told[places[5]] = clip(nearer, -3.0, 3.0)
        if not free:
            told[P_SIZE] = 5 * clip(span(known, 0, SAMPLES) / size, 0.0, 0.6)
    nothing[:SAMPLES] = 0.0
    pace = max(1 / (count + 1), 1 / MEMORY) if is_usual else 0.0
    state.p_power[slot] = power + pace * (_power(here, nothing, share, work[0]) - power)
    state.p_residual[slot] = residual + pace * (off - residual)
    state.p_beats[slot] = count + (1.0 if is_usual else 0.0)
