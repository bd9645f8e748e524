"""The P waves of each bed: whether there are any, the usual one, and the one of late beats.

A beat of the sinus node has the sinus node's P wave; an ectopic one has another, or none. One P wave is small against
its noise, so the features are in units of that noise. Lasting states (no P waves in atrial fibrillation, two kinds of
them if the atria lead between pauses) show in averages of many beats.

At a quick rate the first part of the wave lies on the T wave before it, and differs from the wave of a late beat, which
stands alone: as if the atria beat otherwise. So waves are compared a second time, only where the T wave before a beat
in time has ended ("free").

Waves are float64 [m, samples], mV, the part of a beat before its QRS complex. State is a dict of arrays whose first
axis is the slot.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ecg.signal.numbers import clip, exp, log
from ecg.signal.shapes import likeness
from ecg.signal.slots import Floats, Index, Mask, State

EDGE: Final = 4
"""Samples at both ends from which a wave is levelled."""
LATE: Final = -0.15
"""Log RR, relative to the longest ones, above which a beat is late."""
TWICE: Final = 0.15
"""An interval is twice the usual one if its logarithm is that near to it."""
LONGER: Final = 1 / 8
SHORTER: Final = 1 / 250
"""Share of the difference that the longest intervals learn from a longer and from a shorter one."""
MOST: Final = 0.7
"""Largest difference of logarithms from which the longest intervals learn."""
LATE_MEMORY: Final = 12
MEMORY: Final = 32
"""Beats over which late ones, and all of the usual shape, are averaged."""
LEAST: Final = 1e-9
"""mV^2, of any power."""
QT: Final = 0.40
"""s, from an R-peak to the end of its T wave at an interval of 1 s; as the root of the interval (Bazett 1920)."""
SHORTEST: Final = 8
"""Samples of a wave that are compared in any case."""
FREE: Final = (
    "p_likeness_to_late",
    "p_likeness_to_late_mean",
    "p_coherence",
    "p_surprise",
    "late_p_apart",
    "p_nearer_late",
)
"""Features that there are a second time, of the free part of the waves; their state stands under names with KEPT."""
WHOLE: Final = -1
"""Begin of a wave that is compared whole."""
KEPT: Final = "free_"


def new_state(slots: int, samples: int) -> State:
    """P waves of beds without a beat."""
    return {
        "p_like": np.zeros(slots),
        "longest": np.zeros(slots),
        "intervals": np.zeros(slots),
        "last_usual": np.zeros(slots, bool),
        "late_p": np.zeros((slots, samples)),
        "late_beats": np.zeros(slots),
        "late_like": np.ones(slots),
        "p_power": np.zeros(slots),
        "p_residual": np.zeros(slots),
        "p_beats": np.zeros(slots),
    }


def free_state(state: State) -> State:
    """The state of the free waves, under the names that `describe` uses."""
    return {name.removeprefix(KEPT): rows for name, rows in state.items() if name.startswith(KEPT)}


def covered(usual_rr: Floats, before: int, rate: float) -> Index:
    """Samples at the beginning of a wave that the T wave before a beat in time covers: [m].

    usual_rr: logarithm of the usual interval in samples [m]. before: samples from the wave's first to the R-peak.
    """
    interval = exp(usual_rr) / rate
    under: Index = np.ceil((QT * np.sqrt(interval) - interval) * rate + before).astype(np.int64)
    return under


def level_from(waves: Floats, begin: Index) -> Floats:
    """Each wave from its sample `begin` [m] on above the line between its ends, and 0 before: [m, samples]."""
    place = np.arange(waves.shape[1])
    onwards = place >= begin[:, None]
    head = onwards & (place < begin[:, None] + np.where(begin > 0, EDGE - 1, EDGE)[:, None])
    first, last = (waves * head).sum(axis=1) / head.sum(axis=1), waves[:, -EDGE:].mean(axis=1)
    line = (place - begin[:, None]) / (waves.shape[1] - 1 - begin[:, None])
    return np.where(onwards, waves - first[:, None] - (last - first)[:, None] * line, 0.0)


def level(waves: Floats, edge: int = EDGE) -> Floats:
    """Each wave above the line between its two ends (`edge` samples each): [m, samples], same unit."""
    first, last = waves[:, :edge].mean(axis=1), waves[:, -edge:].mean(axis=1)
    above: Floats = waves - first[:, None] - (last - first)[:, None] * np.linspace(0, 1, waves.shape[1])
    return above


def describe(
    state: State,
    rows: Index,
    waves: Floats,
    usual: Floats,
    size: Floats,
    is_usual: Mask,
    alike: Floats,
    *,
    log_rr: Floats,
    to_usual: Floats,
    beats: Floats,
    begin: Index | None = None,
) -> dict[str, Floats]:
    """Features of new beats, one of each bed: [m] by name. Updates the state of their slots.

    rows: slots [m], each once. usual: the same part of the usual shape's average beat. size: the bed's usual QRS, mV
    [m]. is_usual: which beats are of that shape [m]. alike: correlation of wave and usual wave, not levelled [m].
    log_rr: logarithm of the RR interval in samples [m]; to_usual: the same relative to the bed's usual interval [m].
    beats: beats that the bed had before [m]. begin: where the free part of the waves begins [m] (`covered`); WHOLE, or
    None: the whole waves are compared.
    """
    change = np.where(beats > 0, alike - state["p_like"][rows], 0)
    state["p_like"][rows] += np.maximum(1 / np.maximum(beats, 1), 1 / MEMORY) * change
    whole = level(waves)
    begin = np.full(len(rows), WHOLE) if begin is None else begin
    free, begin = begin != WHOLE, clip(begin, 0, waves.shape[1] - SHORTEST)
    share = 1 - begin / waves.shape[1]
    waves, usual = level_from(waves, begin), level_from(usual, begin)
    is_late = _is_late(state, rows, log_rr, to_usual, is_usual)
    to_late, mean, late, late_beats = _late(state, rows, waves, whole, is_late, begin, free)

    off = _power(waves - usual, share)
    power, residual, count = (state[name][rows] for name in ("p_power", "p_residual", "p_beats"))
    noise = np.maximum(residual, LEAST)
    chance = noise * (1 / clip(late_beats, 1, LATE_MEMORY) + 1 / clip(count, 1, MEMORY - 1))
    apart = _power(late - usual, share) / chance
    nearer = (off - _power(waves - late, share)) / noise
    known = {
        "p_coherence": clip(1 - residual / np.maximum(power, LEAST), -1, 1),
        "p_surprise": clip(log(np.maximum(off, LEAST) / noise), -2, 3),
        "p_size": 5 * clip(np.ptp(usual, axis=1) / size, 0, 0.6),
        "late_p_apart": clip(log(np.maximum(apart, LEAST)), -2, 4),
        "p_nearer_late": clip(nearer, -3, 3),
    }
    features = {
        "p_likeness_change": 3 * clip(change, -1, 1),
        "p_likeness_to_late": to_late,
        "p_likeness_to_late_mean": mean,
    } | {name: np.where(count > 1, value, 0) for name, value in known.items()}

    pace = np.where(is_usual, np.maximum(1 / (count + 1), 1 / MEMORY), 0)
    state["p_power"][rows] = power + pace * (_power(waves, share) - power)
    state["p_residual"][rows] = residual + pace * (off - residual)
    state["p_beats"][rows] = count + is_usual
    return features


def _power(waves: Floats, share: Floats) -> Floats:
    """Mean power of each wave over the share [m] of its samples that are compared (the others are 0): mV^2 [m]."""
    mean: Floats = (waves**2).mean(axis=1) / share
    return mean


def _is_late(state: State, rows: Index, log_rr: Floats, to_usual: Floats, is_usual: Mask) -> Mask:
    """Which beats [m] end one of the longest intervals between two beats of the usual shape; their state moves on.

    The pause after a ventricular beat is not the sinus node's, and its T wave lies under the P wave that ends it. An
    interval of twice the usual one is most often one beat that was missed: taken for a pause, a few of these would
    keep every beat of a quick rhythm from being late for a quarter of an hour.
    """
    twice = np.abs(to_usual - np.log(2)) < TWICE
    usual, count = state["last_usual"][rows] & is_usual & ~twice, state["intervals"][rows]
    further = np.where(count > 0, log_rr - state["longest"][rows], 0)
    pace = np.where(usual, np.where(further > 0, LONGER, SHORTER), 0)
    longest = state["longest"][rows] + pace * clip(further, -MOST, MOST)
    state["longest"][rows] = np.where(usual & (count == 0), log_rr, longest)
    state["intervals"][rows] = count + usual
    state["last_usual"][rows] = is_usual
    return np.asarray(usual & (further > LATE))


def _late(
    state: State, rows: Index, waves: Floats, whole: Floats, is_late: Mask, begin: Index, free: Mask
) -> tuple[Floats, Floats, Floats, Floats]:
    """Likeness of levelled waves to the late wave and its running mean, both [m]; that wave, and its beats [m].

    waves: from `begin` [m] on. whole: all of them, from which the late wave learns. free: which are compared in part;
    the late wave is levelled for them alone.

    A beat after one of the bed's long intervals is the sinus node's own, or else an escape. If early beats are the
    norm, such beats alone show the normal P wave.
    """
    known, count, mean = state["late_p"][rows], state["late_beats"][rows], state["late_like"][rows]
    seen = np.where(free[:, None], level_from(known, begin), known)
    alike = np.where(count > 0, likeness(waves, seen), 1.0)
    mean = mean + (alike - mean) / 4
    pace = np.where(is_late | (count < 3), np.maximum(1 / (count + 1), 1 / LATE_MEMORY), 0)
    late = known + pace[:, None] * (whole - known)
    state["late_p"][rows], state["late_like"][rows] = late, mean
    state["late_beats"][rows] = count + (pace > 0)
    shown = np.where(free[:, None], level_from(late, begin), late)
    return alike, mean, shown, state["late_beats"][rows]
