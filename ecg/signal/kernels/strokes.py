"""A second, simple look at the beats of each lead, compiled: what `monitor.alarms.strokes` does, beat by beat."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal.compiled import Rules
from ecg.signal.kernels.sums import total


class Kept(NamedTuple):
    """The beats of leads, arrays [rows, ...], under their names in `monitor.alarms.strokes`."""

    count: Any
    height: Any
    size: Any
    template: Any
    last: Any
    at: Any
    alike: Any
    like_last: Any


class Places(NamedTuple):
    """Steep places, sorted by look and time: see `monitor.alarms.strokes.Places`."""

    look: Any
    at: Any
    height: Any
    size: Any
    shapes: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _dot(one: Any, other: Any, work: Any) -> float:
    """The sum of products, as NumPy takes it."""
    for place in range(len(work)):
        work[place] = one[place] * other[place]
    return total(work, 0, len(work))


@njit(cache=True, nogil=True, error_model="numpy")
def take(kept: Kept, row: int, places: Places, begin: int, end: int, rules: Rules) -> None:
    """Steep places of one look at a lead: those that are beats are remembered (`Beats.take`)."""
    if begin == end:
        return
    work = np.empty(kept.template.shape[1])
    for place in range(begin, end):
        enough = places.height[place] >= rules.own * kept.height[row]
        if enough and places.at[place] - kept.at[row, -1] >= rules.refractory:
            _learn(kept, row, places, place, work, rules)


@njit(cache=True, nogil=True, error_model="numpy")
def _learn(kept: Kept, row: int, places: Places, place: int, work: Any, rules: Rules) -> None:
    """A beat of this lead (`Beats._learn`)."""
    template, last, shape = kept.template[row], kept.last[row], places.shapes[place, 1]
    height, usual = places.height[place], kept.height[row]
    size, whole = places.size[place], kept.size[row]
    alike = like_last = 1.0
    if kept.count[row] > 0:
        length = max(np.sqrt(_dot(template, template, work)), 1e-9)
        alike = -np.inf
        for shift in range(places.shapes.shape[1]):
            alike = max(alike, _dot(template, places.shapes[place, shift], work))
        alike = alike / length
        like_last = _dot(shape, last, work)
        pace = rules.quick if alike > rules.alike else rules.slow
        for column in range(len(template)):
            template[column] = template[column] + pace * (shape[column] - template[column])
        kept.height[row] = usual + rules.quick * (min(height, 2 * usual) - usual)
        kept.size[row] = whole + pace * (min(size, 2 * whole) - whole)
        ratio = size / max(whole, 1e-9)
        alike = alike * min(ratio, 1 / max(ratio, 1e-9))
    else:
        template[:] = shape
        kept.height[row], kept.size[row] = height, size
    last[:] = shape
    for values, value in ((kept.alike[row], alike), (kept.like_last[row], like_last)):
        for column in range(len(values) - 1):
            values[column] = values[column + 1]
        values[-1] = value
    at = kept.at[row]
    for column in range(len(at) - 1):
        at[column] = at[column + 1]
    at[-1] = places.at[place]
    kept.count[row] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def may_run(kept: Kept, row: int, oldest: int, longest: float, rules: Rules) -> bool:
    """Do the last beats of a lead follow one another quickly enough for a tachycardia, the last since `oldest`?."""
    at, beats = kept.at[row], rules.run_beats
    quick = at[-1] - at[-min(beats, len(at))] <= (beats - 1) * longest
    return bool(quick and at[-1] >= oldest and kept.count[row] >= beats)


@njit(cache=True, nogil=True, error_model="numpy")
def run(kept: Kept, row: int, other: int, shortest: float, longest: float, begun: bool, rules: Rules) -> int:
    """The first beat of the tachycardia that a lead's last beats are (`strokes.run`); -1 where they are none.

    other: the row of the other lead, -1 where it is absent.
    """
    beats, known = rules.run_beats, min(kept.count[row], kept.at.shape[1])
    if known < beats:
        return -1
    at = kept.at[row, -beats:]
    whole = at[-1] - at[0]
    if not ((beats - 1) * shortest <= whole <= (beats - 1) * longest):
        return -1
    steps = np.diff(at)
    if steps.max() > rules.even * steps.min():
        return -1
    if np.sort(kept.alike[row, -beats:])[-1 - rules.strays] >= rules.unlike:
        return -1
    if np.sort(kept.like_last[row, -beats + 1 :])[rules.strays] <= rules.one_another:
        return -1
    if other >= 0:
        there, added = 0, 0.0
        for place in range(kept.at.shape[1] - min(kept.count[other], kept.at.shape[1]), kept.at.shape[1]):
            if at[0] - rules.near <= kept.at[other, place] <= at[-1] + rules.near:
                there += 1
                added += kept.alike[other, place]
        if there and added >= rules.unlike * max(there, beats):
            return -1
    if not begun:
        first = kept.at.shape[1] - min(known, beats + rules.earlier)
        before = np.sort(np.diff(kept.at[row, first : kept.at.shape[1] - beats]))
        count = len(before)
        if count < rules.fewest:
            return -1
        median = (before[(count - 1) // 2] + before[count // 2]) / 2
        if whole / (beats - 1) > rules.faster * median:
            return -1
    return int(at[0])
