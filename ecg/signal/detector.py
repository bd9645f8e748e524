"""R-peak detector: causal, adaptive, for all beds at once.

After Pan & Tompkins (IEEE Trans Biomed Eng 32(3):230-236, 1985): band-pass, slope, moving average, then a
threshold between running signal and noise levels. Three things differ. Nothing looks back: in place of a search-back
the threshold falls while a beat is overdue. A candidate under a rising envelope waits for the later one (a P wave
before its QRS). A small wave whose shape is unlike the bed's recent beats needs more height. Constants were chosen on
DS1 records.

Positions are samples at the model's rate. State is a dict of arrays whose first axis is the slot.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from ecg.signal import compiled
from ecg.signal.numbers import clip
from ecg.signal.recursive import BAND_PASS
from ecg.signal.resampler import MODEL_RATE
from ecg.signal.slots import Floats, Index, Mask, State, rounds

BAND: Final = BAND_PASS
AVERAGE: Final = 16
"""Samples in the moving average of the slope: as long as a wide QRS."""
DELAY: Final = 13
"""Samples from the R-peak to the envelope's maximum (median over DS1)."""
RISE_BEFORE: Final = 5
WAIT_AFTER: Final = 14
"""A maximum is higher than the 5 samples before it and no lower than the 14 after it."""
UNSETTLED: Final = 8
"""Newest samples, out of which a pacemaker's spike may still be taken (`ecg.signal.pacing`): they are not looked at."""
LEARNING: Final = 250
"""Samples, settled ones, before the first decision: levels start from their largest envelope."""
AWAKE: Final = LEARNING + UNSETTLED
"""Samples heard before the first decision."""
SKIP: Final = 24
REFRACTORY: Final = 25
HALF_SHAPE: Final = 12
SHAPE: Final = 2 * HALF_SHAPE + 1
THRESHOLD: Final = 0.22
STILL_RISING: Final = 0.8
UNLIKE: Final = 0.7
UNLIKE_PER_NOISE: Final = 5.0
UNLIKE_FREE: Final = 0.3
"""A small wave of another shape needs more height, the more so the noisier the bed is: none on a clean one."""
SMALL: Final = 1.1
LEAST_MV: Final = 0.03
"""What is lower from top to bottom is noise of an amplifier: it is no beat."""
T_WAVE_SPAN: Final = 45
T_WAVE_SHARE: Final = 0.6
ANSWER: Final = 12
ANSWERED: Final = 1.5
ANSWERED_LEAST: Final = 0.6
"""A wave whose maximum is no further from a pacemaker's spike than so many samples is the heart's answer to it: it
counts for half as much again, if it alone reaches that share of the threshold at which nothing is overdue.
"""
SPIKES: Final = 6
"""Spikes that are remembered: two before a beat, and those until its window is complete."""
REMAINDER: Final = 0.05
"""What is lower there, from top to bottom, than this share of the spike is left of the spike: it is no beat."""
SEARCH: Final = 10
"""Samples to either side of a given R-peak in which the envelope's maximum is looked for."""


class Peaks(NamedTuple):
    """New R-peaks of a group of beds, sorted by slot, in order of time within each.

    row: [m], the bed's row in the group. at: [m], position of the envelope's maximum. fraction: [m], its sub-sample
    part, -0.5 to 0.5.
    """

    row: Index
    at: Index
    fraction: Floats

    def take(self, chosen: Index | Mask) -> Peaks:
        """The chosen ones, by position or mask."""
        return Peaks(self.row[chosen], self.at[chosen], self.fraction[chosen])

    @staticmethod
    def join(*parts: Peaks) -> Peaks:
        """Those of several groups, one after the other."""
        return Peaks(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    def shared(self, pairs: Index) -> Peaks:
        """Each R-peak of a lead once more for the lead that follows it, if one does. pairs: see ecg.signal.filling."""
        follower = np.full(max(int(self.row.max(initial=0)), int(pairs.max(initial=0))) + 1, -1)
        follower[pairs[:, 0]] = pairs[:, 1]
        rows = follower[self.row]
        chosen = rows >= 0
        return Peaks.join(self, Peaks(rows[chosen], self.at[chosen], self.fraction[chosen]))


def new_state(slots: int) -> State:
    """State of new beds. begin: first sample. paced_at: tops of a pacemaker's last spikes, the newest
    first, samples at the own rate; paced_mv: height of the newest. taken: how many given R-peaks have been used.
    """
    return {
        "begin": np.zeros(slots, np.int64),
        "paced_at": np.full((slots, SPIKES), -(1 << 40), np.int64),
        "paced_mv": np.zeros(slots),
        "taken": np.zeros(slots, np.int64),
        "signal": np.zeros(slots),
        "noise": np.zeros(slots),
        "size": np.zeros(slots),
        "beat_rr": np.full(slots, 100.0),
        "last": np.full(slots, -1e9),
        "last_height": np.zeros(slots),
        "shape": np.zeros((slots, SHAPE)),
    }


def find(state: State, slots: Index, model: Floats, band: Floats, envelope: Floats, first: Index, count: int) -> Peaks:
    """R-peaks that the newest `count` samples decide. Updates the state of the slots.

    model, band, envelope: [beds, n], the last samples of each bed; column 0 is sample `first` [beds]. A bed learns its
    levels from its first LEARNING samples, and its beats within them are decided as they end.
    """
    if fast := compiled.kernels():
        peaks: Peaks = fast.find(state, slots, model, band, envelope, first, count)
        return peaks
    begin = state["begin"][slots]
    model, band, envelope = (signal[:, : signal.shape[1] - UNSETTLED] for signal in (model, band, envelope))
    total = envelope.shape[1]
    end = first + total
    awake = end >= begin + LEARNING
    waking = awake & (end - count < begin + LEARNING)
    for row in np.flatnonzero(waking):
        heard = envelope[row, begin[row] - first[row] :][:LEARNING]
        state["signal"][slots[row]] = 0.6 * heard.max()
        state["noise"][slots[row]] = 0.12 * heard.max()
    rows, columns = maxima(envelope, total - count - WAIT_AFTER)
    keep = awake[rows] & ~waking[rows]
    rows, columns = rows[keep], columns[keep]
    for row in np.flatnonzero(waking):
        _, late = maxima(envelope[row : row + 1], int(begin[row] - first[row]))
        rows, columns = np.r_[rows, np.full(len(late), row)], np.r_[columns, late]
    keep = columns + first[rows] >= begin[rows] + SKIP
    rows, columns = rows[keep], columns[keep]
    order = np.lexsort((columns, slots[rows]))
    rows, columns = rows[order], columns[order]

    middle = columns - AVERAGE // 2
    around = middle[:, None] + np.arange(-HALF_SHAPE, HALF_SHAPE + 1)
    around = clip(around, 0, total - 1)
    local = model[rows[:, None], around]
    size = local.max(axis=1) - local.min(axis=1)
    shape = band[rows[:, None], around]
    shape /= np.sqrt((shape * shape).sum(axis=1, keepdims=True)) + 1e-9
    yes = decide(state, slots[rows], columns + first[rows], envelope[rows, columns], size, shape)
    rows, columns = rows[yes], columns[yes]
    return Peaks(rows, columns + first[rows], parabola(envelope, rows, columns))


def align(state: State, slots: Index, given: list[Floats], envelope: Floats, first: Index) -> Peaks:
    """Given R-peaks in place of found ones, aligned to the envelope as found ones are. Updates the state of the slots.

    given: one sorted array of R-peaks a bed. envelope: [beds, n]; column 0 is sample `first` [beds].
    """
    total = envelope.shape[1]
    rows, columns = [], []
    for row, (slot, peaks) in enumerate(zip(slots, given, strict=True)):
        taken = int(state["taken"][slot])
        ready = int(np.searchsorted(peaks, first[row] + total - 1 - DELAY - SEARCH - UNSETTLED))
        for peak in peaks[taken:ready]:
            middle = round(float(peak)) + DELAY - int(first[row])
            low = max(middle - SEARCH, 1)
            rows.append(row)
            columns.append(low + int(envelope[row, low : middle + SEARCH].argmax()))
        state["taken"][slot] = max(ready, taken)
    row_of, column = np.array(rows, np.int64), np.array(columns, np.int64)
    return Peaks(row_of, column + first[row_of], parabola(envelope, row_of, column))


def parabola(envelope: Floats, rows: Index, columns: Index) -> Floats:
    """Sub-sample offset (-0.5 to 0.5) of maxima, from a parabola through three samples."""
    inside = clip(columns, 1, envelope.shape[1] - 2)
    before, here, after = (envelope[rows, inside + step] for step in (-1, 0, 1))
    bend = before - 2 * here + after
    offset = 0.5 * (before - after) / np.where(bend < 0, bend, -np.inf)
    return clip(offset, -0.5, 0.5)


def maxima(envelope: Floats, low: int) -> tuple[Index, Index]:
    """Rows and columns of the envelope's maxima from column `low` on, as far as the samples after them are known.

    envelope: float [beds, n]. Sorted by row, then column.
    """
    high = envelope.shape[1] - WAIT_AFTER
    low = max(low, RISE_BEFORE)
    if high <= low:
        empty = np.zeros(0, np.int64)
        return empty, empty
    middle = envelope[:, low:high]
    found = middle > 0
    for step in range(1, RISE_BEFORE + 1):
        found &= middle > envelope[:, low - step : high - step]
    for step in range(1, WAIT_AFTER + 1):
        found &= middle >= envelope[:, low + step : high + step]
    rows, columns = np.nonzero(found)
    rising = envelope[rows, columns + low + WAIT_AFTER]
    keep = ~(
        (rising > STILL_RISING * envelope[rows, columns + low])
        & (rising > envelope[rows, columns + low + WAIT_AFTER - 2])
    )
    return rows[keep], columns[keep] + low


def decide(
    state: State,
    slots: Index,
    at: Index,
    height: Floats,
    size: Floats,
    shape: Floats,
) -> Mask:
    """Which candidates are beats. Updates the state of their slots.

    slots: [m], sorted, each slot's candidates in order of time. at: [m], position. height: [m], envelope. size:
    [m], peak-to-peak mV around it. shape: [m, SHAPE], band-passed signal around it, unit length.
    """
    accepted = np.zeros(len(slots), bool)
    for chosen in rounds(slots):
        rows = slots[chosen]
        level, noise, typical = state["signal"][rows], state["noise"][rows], state["size"][rows]
        mean_rr, last_height, known = state["beat_rr"][rows], state["last_height"][rows], state["shape"][rows]
        since = at[chosen] - state["last"][rows]
        tall, wide, form = height[chosen], size[chosen], shape[chosen]
        typical = np.where(typical > 0, typical, wide)

        norm = np.sqrt((known * known).sum(axis=1))
        alike = np.where(norm > 0.3, (form * known).sum(axis=1) / np.maximum(norm, 0.3), 1.0)
        doubt = clip((SMALL - wide / np.maximum(typical, 1e-9)) / (0.5 * SMALL), 0, 1)
        unlike = clip(UNLIKE_PER_NOISE * noise / np.maximum(level, 1e-9) - UNLIKE_FREE, 0, UNLIKE)
        judged = tall * (1 - unlike * (1 - np.maximum(alike, 0)) * doubt)

        threshold = noise + THRESHOLD * (level - noise)
        spike = state["paced_at"][rows, 0] * MODEL_RATE / state["rate"][rows] + DELAY
        paced = np.abs(spike - at[chosen]) <= ANSWER
        answer = paced & (tall > ANSWERED_LEAST * threshold)
        least = np.maximum(LEAST_MV, np.where(paced, REMAINDER * state["paced_mv"][rows], 0))
        alone, gain = tall, np.where(answer, ANSWERED, 1.0)
        tall, judged = tall * gain, judged * gain
        overdue = since / mean_rr - 1.3
        threshold = np.where(overdue > 0, threshold * np.maximum(0.35, 1 - 0.5 * overdue), threshold)
        after_beat = (since < T_WAVE_SPAN) & (tall < T_WAVE_SHARE * last_height)
        yes = (since > REFRACTORY) & (judged > threshold) & ~after_beat & (wide >= least)
        accepted[chosen] = yes

        usual = yes & (since > 37) & (since < 220)
        state["beat_rr"][rows] = np.where(usual, mean_rr + 0.2 * (since - mean_rr), mean_rr)
        fade = np.where(since > 400, 0.9, 1.0)
        state["signal"][rows] = fade * np.where(yes, level + 0.15 * (np.minimum(tall, 1.8 * level) - level), level)
        state["size"][rows] = fade * np.where(
            yes, typical + 0.15 * (np.minimum(wide, 1.8 * typical) - typical), typical
        )
        state["noise"][rows] = np.where(yes, noise, noise + 0.1 * (np.minimum(alone, 0.6 * level) - noise))
        state["shape"][rows] = np.where(yes[:, None], known + 0.1 * (form - known), known)
        state["last"][rows] = np.where(yes, at[chosen], state["last"][rows])
        state["last_height"][rows] = np.where(yes, tall, last_height)
    return accepted
