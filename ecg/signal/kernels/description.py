"""`ecg.signal.features.describe`, compiled: beat by beat, in the order of operations that NumPy takes there."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal import features as said
from ecg.signal import intervals, p_waves, regularity, shapes, usual, windows
from ecg.signal.kernels import waves
from ecg.signal.kernels.sums import LONGEST, clip, likeness, middle, ordered, span, total
from ecg.signal.kernels.vectors import ABREAST
from ecg.signal.kernels.waves import Waves
from ecg.signal.resampler import MODEL_RATE

WINDOW, LARGEST_WINDOW = windows.WINDOW, float(windows.LARGEST)
QRS_LOW, QRS_HIGH = windows.QRS.start, windows.QRS.stop
P_LOW, P_HIGH = windows.P_WAVE.start, windows.P_WAVE.stop
T_LOW, T_HIGH = windows.T_WAVE.start, windows.T_WAVE.stop
CORE_LOW, CORE_HIGH = windows.CORE.start, windows.CORE.stop
BEFORE_P = windows.WINDOW_BEFORE - windows.P_WAVE.start
QT = p_waves.QT
RECENT, SHORT, SLOW, LONG, MOST = intervals.RECENT, intervals.SHORT, intervals.SLOW, intervals.LONG, intervals.MOST
IN_TIME, EARLY, LEARN, DRIFT, FIRST = (
    regularity.IN_TIME,
    regularity.EARLY,
    regularity.LEARN,
    regularity.DRIFT,
    regularity.FIRST,
)
GRADUAL, GRADUAL_LEARN, GRADUAL_DRIFT, GRADUAL_FIRST = (
    regularity.GRADUAL,
    regularity.GRADUAL_LEARN,
    regularity.GRADUAL_DRIFT,
    regularity.GRADUAL_FIRST,
)
EARLY_MEMORY, KNOWN, MOST_OFF, LARGEST = (
    regularity.EARLY_MEMORY,
    regularity.KNOWN,
    regularity.MOST,
    regularity.LARGEST,
)
LAGS, CHANGES, LARGE, UNKNOWN, LEAST = (
    regularity.LAGS,
    regularity.CHANGES,
    regularity.LARGE,
    regularity.UNKNOWN,
    regularity.LEAST,
)
SHAPES, SAME, SIZE_FREE, SIZE_COST, FORGET = (
    shapes.SHAPES,
    shapes.SAME,
    shapes.SIZE_FREE,
    shapes.SIZE_COST,
    shapes.FORGET,
)
SHAPE_LEARN, SHAPE_EARLY, EARLY_LEARNS, EARLY_COUNTS, SHAPE_LARGEST = (
    shapes.LEARN,
    shapes.EARLY,
    shapes.EARLY_LEARNS,
    shapes.EARLY_COUNTS,
    shapes.LARGEST,
)
FAST, MEMORY = usual.FAST, usual.MEMORY
COLUMN = {name: number for number, name in enumerate(said.FEATURES)}
(
    RR_TO_8,
    RR_TO_SLOW,
    RR_TO_LAST,
    LAST_TO_8,
    IRREGULARITY,
    QRS_LIKENESS,
    P_LIKENESS,
    T_LIKENESS,
    SIZE,
    AREA,
    SHAPE_FIT,
    SHAPE_SHARE,
    SHAPE_IS_USUAL,
    SHAPE_LIKENESS,
    SHAPE_EARLINESS,
    SHAPE_PAUSE,
    LONG_IRREGULARITY,
    NEWNESS,
    RR_TO_USUAL,
    LAST_TO_USUAL,
    EARLY_SHARE,
    QUARTER_CHANGE,
    LEAST_MEDIAN,
    LEAST_QUARTER,
    RR_TO_GRADUAL,
    USUAL_TO_GRADUAL,
) = (
    COLUMN[name]
    for name in (
        "rr_to_mean_of_8 rr_to_slow_mean rr_to_last last_rr_to_mean_of_8 irregularity qrs_likeness p_likeness "
        "t_likeness size area shape_fit shape_share shape_is_usual shape_likeness shape_earliness shape_pause "
        "long_irregularity newness rr_to_usual last_rr_to_usual early_share quarter_change least_median_change "
        "least_quarter_change rr_to_gradual usual_to_gradual"
    ).split()
)


class Running(NamedTuple):
    """Running values of all slots but those of P waves: arrays [slots, ...], under their names in the signal path."""

    beats: Any
    last_at: Any
    recent: Any
    slow: Any
    irregular: Any
    usual_rr: Any
    gradual_rr: Any
    off_usual: Any
    early_share: Any
    intervals_past: Any
    changes: Any
    beat_size: Any
    beat_area: Any
    shapes: Any
    shape_weight: Any
    shape_beats: Any
    shape_before: Any
    shape_after: Any
    shape_last: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _mean_of(recent: Any, count: float, work: Any) -> float:
    for place in range(RECENT):
        work[place] = recent[place] if place < count else 0.0
    return total(work, 0, RECENT) / max(count, 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _interval(
    state: Running, slot: int, at: float, beats: float, log_rr: float, told: Any, work: Any, lists: Any
) -> tuple[float, int]:
    """`intervals.describe` of one beat. Returns log RR relative to the slow mean, and of how many changes the median
    will be told, once they are sorted: list LAGS of `lists`.
    """
    recent, slow, irregular = state.recent[slot], state.slow[slot], state.irregular[slot]
    timed = beats > 0
    known = clip(beats - 1, 0.0, float(RECENT))
    has_past = timed and known > 0
    mean = _mean_of(recent, min(known, float(SHORT)), work)
    last = recent[0]
    to_slow = log_rr - slow if has_past else 0.0
    if has_past:
        told[RR_TO_8] = 4 * clip(log_rr - mean, -MOST, MOST)
        told[RR_TO_SLOW] = 4 * clip(to_slow, -MOST, MOST)
        told[RR_TO_LAST] = 4 * clip(log_rr - last, -MOST, MOST)
        told[LAST_TO_8] = 4 * clip(last - mean, -MOST, MOST)
    count = int(known - 1)
    for place in range(RECENT - 1):
        lists[place, LAGS] = abs(recent[place + 1] - recent[place]) if place < count else np.inf
    told[LONG_IRREGULARITY] = 10 * irregular
    pace = max(1 / max(beats - 1, 1.0), 1 / LONG) if has_past else 0.0
    state.irregular[slot] = irregular + pace * (min(abs(log_rr - last), 0.5) - irregular)
    if timed:
        for place in range(RECENT - 1, 0, -1):
            recent[place] = recent[place - 1]
        recent[0] = log_rr
        state.slow[slot] = slow + max(1 / max(beats, 1.0), 1 / SLOW) * (log_rr - slow)
    state.last_at[slot] = at
    return to_slow, count


@njit(cache=True, nogil=True, error_model="numpy")
def _regular(state: Running, slot: int, log_rr: float, beats: float, told: Any, lists: Any, steps: int) -> float:
    """`regularity.describe` of one beat. Returns log RR relative to the usual interval, within limits. steps: of
    `_interval`.
    """
    timed = beats > 0
    usual_rr = log_rr if beats == 1 else state.usual_rr[slot]
    off = log_rr - usual_rr if timed else 0.0
    told[NEWNESS] = math.exp(-beats / KNOWN)
    told[RR_TO_USUAL] = 4 * clip(off, -MOST_OFF, MOST_OFF)
    told[LAST_TO_USUAL] = 4 * clip(state.off_usual[slot], -MOST_OFF, MOST_OFF)
    early = state.early_share[slot]
    told[EARLY_SHARE] = 5 * early

    past, median, quarter, first_quarter = state.intervals_past[slot], np.inf, np.inf, 0.0
    for lag in range(LAGS):
        changes = state.changes[slot, lag]
        if timed:
            for place in range(CHANGES - 1, 0, -1):
                changes[place] = changes[place - 1]
            changes[0] = min(abs(log_rr - past[lag]), LARGE) if beats > lag + 1 else UNKNOWN
        for place in range(CHANGES):
            lists[place, lag] = changes[place]
    ordered(lists.reshape(-1))
    if steps > 0:
        told[IRREGULARITY] = 10 * min(0.5 * (lists[(steps - 1) // 2, LAGS] + lists[steps // 2, LAGS]), 0.5)
    for lag in range(LAGS):
        count = 0
        for place in range(CHANGES):
            count += lists[place, lag] < UNKNOWN
        here_quarter = here_median = 0.0
        if count >= LEAST:
            here_quarter, here_median = lists[int(0.25 * (count - 1)), lag], lists[int(0.5 * (count - 1)), lag]
        if lag == 0:
            first_quarter = here_quarter
        quarter, median = min(quarter, here_quarter), min(median, here_median)
    if timed:
        for lag in range(LAGS - 1, 0, -1):
            past[lag] = past[lag - 1]
        past[0] = log_rr
    told[QUARTER_CHANGE] = 20 * min(first_quarter, 0.15)
    told[LEAST_MEDIAN] = 10 * min(median, 0.3)
    told[LEAST_QUARTER] = 10 * min(quarter, 0.3)

    in_time = abs(off) < IN_TIME or beats < FIRST
    pace = max(1 / max(beats, 1.0), LEARN) if in_time else DRIFT
    state.usual_rr[slot] = usual_rr + pace * clip(off, -LARGEST, LARGEST) if timed else 0.0
    state.off_usual[slot] = off
    pace = max(1 / max(beats, 1.0), 1 / EARLY_MEMORY) if timed else 0.0
    state.early_share[slot] = early + pace * ((1.0 if off < EARLY else 0.0) - early)

    gradual = log_rr if beats == 1 else state.gradual_rr[slot]
    apart = log_rr - gradual if timed else 0.0
    pace = GRADUAL_LEARN if abs(apart) < GRADUAL else GRADUAL_DRIFT
    if beats < GRADUAL_FIRST:
        pace = 0.5
    gradual = gradual + pace * clip(apart, -LARGEST, LARGEST) if timed else 0.0
    state.gradual_rr[slot] = gradual
    told[RR_TO_GRADUAL] = 4 * clip(apart, -MOST_OFF, MOST_OFF)
    told[USUAL_TO_GRADUAL] = 4 * clip(state.usual_rr[slot] - gradual if timed else 0.0, -1.0, 1.0)
    return told[RR_TO_USUAL] / 4


@njit(cache=True, nogil=True, error_model="numpy")
def _shape(
    state: Running, slot: int, beat: Any, beats: float, to_slow: float, told: Any, average: Any, work: Any
) -> tuple[float, bool, float]:
    """`usual.compare` of one beat. average: the usual shape goes there. Returns the bed's QRS size, whether the beat
    is of the usual shape, and the likeness of its P wave.
    """
    timed = beats > 0
    size = max(span(beat, QRS_LOW, QRS_HIGH), 1e-3)
    for place in range(WINDOW):
        work[0, place] = abs(beat[place])
    area = max(total(work[0], 0, WINDOW) / WINDOW, 1e-4)
    typical = state.beat_size[slot] if timed else size
    typical_area = state.beat_area[slot] if timed else area
    counts, weights, all_shapes = state.shape_beats[slot], state.shape_weight[slot], state.shapes[slot]
    last, after = state.shape_last[slot], state.shape_after[slot]
    learnt = clip(to_slow, -SHAPE_LARGEST, SHAPE_LARGEST)
    pace = max(1 / max(counts[last], 1.0), SHAPE_LEARN) if beats > 1 else 0.0
    after[last] += pace * (learnt - after[last])

    common, most, any_used = 0, -np.inf, False
    best, fit = 0, -np.inf
    core_size = max(span(beat, CORE_LOW, CORE_HIGH), 1e-3)
    for kind in range(SHAPES):
        used = counts[kind] > 0
        any_used |= used
        early = EARLY_COUNTS * clip(state.shape_before[slot, kind], -0.5, 0.2)
        worth = (weights[kind] if used else 0.0) * math.exp(early)
        if worth > most:
            common, most = kind, worth
        here = -2.0
        if used:
            other = max(span(all_shapes[kind], CORE_LOW, CORE_HIGH), 1e-3)
            cost = SIZE_COST * max(abs(math.log(core_size / other)) - SIZE_FREE, 0.0)
            here = likeness(beat, all_shapes[kind], CORE_LOW, CORE_HIGH, work) - cost
        if here > fit:
            best, fit = kind, here
    average[:] = all_shapes[common]
    new, place_of = fit < SAME, best
    if new:
        place_of, least = 0, np.inf
        for kind in range(SHAPES):
            spare = np.inf if kind == common else weights[kind] if counts[kind] > 0 else -1.0
            if any_used and spare < least:
                place_of, least = kind, spare
    is_usual = place_of == common and not new and timed

    told[QRS_LIKENESS] = likeness(beat, average, QRS_LOW, QRS_HIGH, work) if timed else 1.0
    p_alike = likeness(beat, average, P_LOW, P_HIGH, work) if timed else 1.0
    told[P_LIKENESS] = p_alike
    told[T_LIKENESS] = likeness(beat, average, T_LOW, T_HIGH, work) if timed else 1.0
    told[SIZE] = clip(math.log(size / typical), -2.0, 2.0)
    told[AREA] = clip(math.log(area / typical_area), -2.0, 2.0)
    told[SHAPE_FIT] = max(fit, -1.0) if timed else 1.0
    told[SHAPE_IS_USUAL] = 1.0 if is_usual else 0.0
    if not new:
        told[SHAPE_SHARE] = weights[best] / max(total(weights, 0, SHAPES), 1e-9)
        told[SHAPE_LIKENESS] = likeness(all_shapes[best], average, CORE_LOW, CORE_HIGH, work)
        told[SHAPE_EARLINESS] = 4 * state.shape_before[slot, best]
        told[SHAPE_PAUSE] = 4 * after[best]

    count = 0.0 if new else counts[place_of]
    pace = max(1 / (count + 1), SHAPE_LEARN)
    taught = 1.0 if new else pace * (EARLY_LEARNS if to_slow < SHAPE_EARLY else 1.0)
    row = all_shapes[place_of]
    for place in range(WINDOW):
        row[place] += taught * (beat[place] - row[place])
    for kind in range(SHAPES):
        weights[kind] *= 1 - FORGET
    weights[place_of] = 1.0 if new else weights[place_of] + 1
    before = 0.0 if new else state.shape_before[slot, place_of]
    state.shape_before[slot, place_of] = before + pace * (learnt - before)
    if new:
        after[place_of] = 0.0
    counts[place_of] = count + 1
    state.shape_last[slot] = place_of
    pace = (1.0 if is_usual or beats < FAST else 0.1) * max(1 / (beats + 1), 1 / MEMORY)
    state.beat_size[slot] = typical + pace * (clip(size, 0.3 * typical, 3 * typical) - typical)
    state.beat_area[slot] = typical_area + pace * (clip(area, 0.3 * typical_area, 3 * typical_area) - typical_area)
    return typical, is_usual, p_alike


@njit(cache=True, nogil=True, error_model="numpy")
def describe(state: Running, whole: Waves, free: Waves, slots: Any, at: Any, cuts: Any, out: Any) -> None:
    """Beats, each slot's in order. out: windows, features (zeros), rr and mean rr, as `features.describe` has them."""
    inputs, told_of, rr_of, mean_rr_of = out
    beat, average = np.empty(WINDOW), np.empty(WINDOW)
    told, work, work_waves = np.empty(told_of.shape[1]), np.empty((3, WINDOW)), np.empty((6, WINDOW))
    lists = np.full((LONGEST, ABREAST), np.inf)
    for number in range(len(slots)):
        slot = slots[number]
        level = middle(cuts[number], WINDOW, work[0], work[1])
        for place in range(WINDOW):
            beat[place] = cuts[number, place] - level
        told[:] = 0.0
        beats = state.beats[slot]
        rr = max(at[number] - state.last_at[slot], 1.0)
        log_rr = math.log(rr)
        begin = 0
        if beats > 1:
            interval = math.exp(state.usual_rr[slot]) / MODEL_RATE
            begin = int(np.ceil((QT * np.sqrt(interval) - interval) * MODEL_RATE + BEFORE_P))
        to_slow, steps = _interval(state, slot, at[number], beats, log_rr, told, work[0], lists)
        to_usual = _regular(state, slot, log_rr, beats, told, lists, steps)
        typical, is_usual, p_alike = _shape(state, slot, beat, beats, to_slow, told, average, work)
        for kind in range(2):
            waves.describe(
                whole if kind == 0 else free,
                slot,
                beat[P_LOW:P_HIGH],
                average[P_LOW:P_HIGH],
                typical,
                is_usual,
                p_alike,
                log_rr,
                to_usual,
                beats,
                0 if kind == 0 else begin,
                told,
                kind == 1,
                work,
                work_waves,
            )
        for place in range(WINDOW):
            inputs[number, 0, place] = clip(beat[place] / typical, -LARGEST_WINDOW, LARGEST_WINDOW)
            inputs[number, 1, place] = (
                clip((beat[place] - average[place]) / typical, -LARGEST_WINDOW, LARGEST_WINDOW) if beats > 0 else 0.0
            )
        told_of[number] = told
        if beats > 0:
            rr_of[number] = rr
            mean_rr_of[number] = math.exp(_mean_of(state.recent[slot], clip(beats, 0.0, float(SHORT)), work[0]))
        else:
            rr_of[number] = mean_rr_of[number] = np.nan
        state.beats[slot] = beats + 1
