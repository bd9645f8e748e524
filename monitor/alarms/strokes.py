"""A second, simple look at the beats of each lead, which knows nothing of the first detector and of the network.

A beat is where the lead rises or falls steepest, if that is OWN of what its beats usually do at least. Its shape, from
130 ms before to 230 ms after, is compared with a running template of the lead's own: what is usual is learnt quickly
from beats that are alike and slowly from others. A beat of twice or half the usual size is half as much alike. A run is
a ventricular tachycardia in this look where its beats come evenly and faster than those before, are unlike the usual
ones and like one another; and where the other lead, at the same time, does not show its own usual beats. That holds for
beats that the first detector missed, or that the network takes for something else, in either lead.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.signal.highest import highest_within
from ecg.signal.quality import LEAST_MV, RISE
from ecg.signal.slots import SlotArrays, State, rounds
from monitor.alarms.looks import HOP, Floats, Look, Slots

OWN: Final = 0.35
BEFORE: Final = 8
AFTER: Final = 14
"""Blocks of a beat before and after its steepest place."""
LENGTH: Final = BEFORE + AFTER
APART: Final = 9
"""A beat is the steepest place within so many blocks to either side (150 ms)."""
REFRACTORY: Final = 15
TAIL: Final = 18
"""Blocks that must have followed a place before it is judged."""
ALIKE: Final = 0.8
QUICK: Final = 1 / 15
SLOW: Final = 1 / 60
KEPT: Final = 24
"""Beats that are remembered."""
UNLIKE: Final = 0.6
"""All beats of a run but one are less like the usual one than that, and so are those of the other lead on average."""
ONE_ANOTHER: Final = 0.8
STRAYS: Final = 1
"""The beats of a run, but for so many, are that much like the beat before, or more: a T wave at its end is not."""
EVEN: Final = 1.5
NEAR: Final = 6
"""Blocks around a run in which the other lead's beats are those of the run."""
FASTER: Final = 0.9
"""The interval of a run is at most that share of the median interval before it."""
EARLIER: Final = 10
FEWEST: Final = 4
"""Intervals before a run that are looked at, and without which nothing is said."""


class Strokes(NamedTuple):
    """The last beats of one lead, oldest first.

    at: blocks since the bed's reset. alike: to the usual one, by shape and size. like_last: to the beat before, by
    shape.
    """

    at: list[int]
    alike: list[float]
    like_last: list[float]


NONE: Final = Strokes([], [], [])


class Places(NamedTuple):
    """Steep places of some looks, sorted by look, in order of time within each.

    look: [p], which look. at: [p], blocks since the bed's reset. height: [p], lift, mV. size: [p], the length of the
    shape around the place, without mean, as a vector in mV. shapes: [p, 3, LENGTH], the shape around the block before
    the place, the place and the block after it, without mean and of unit length.
    """

    look: Slots
    at: NDArray[np.int64]
    height: Floats
    size: Floats
    shapes: Floats

    def of(self, looks: Slots) -> Places:
        """Those of some looks (ascending), numbered anew."""
        first, last = np.searchsorted(self.look, looks), np.searchsorted(self.look, looks, side="right")
        counts = last - first
        look = np.repeat(np.arange(len(looks)), counts)
        chosen = first[look] + np.arange(len(look)) - np.repeat(np.cumsum(counts) - counts, counts)
        return Places(look, self.at[chosen], self.height[chosen], self.size[chosen], self.shapes[chosen])


def places(look: Look, lift: Floats) -> Places:
    """Where leads rise or fall steepest in the newest blocks of looks that can be judged. lift: of all their means."""
    length = look.means.shape[1]
    begin, end = length - TAIL - HOP, length - TAIL
    near = lift[:, begin - APART - RISE : end + APART - RISE]
    here = near[:, APART:-APART]
    tops = highest_within(near, APART)[:, APART:-APART]
    found = (here >= tops) & (tops > LEAST_MV)
    found &= look.blocks[:, None] - length + begin + np.arange(HOP) >= BEFORE + RISE
    rows, columns = np.nonzero(found)
    around = (begin + columns)[:, None] + np.arange(-BEFORE - 1, AFTER + 1)
    wide = look.means[rows[:, None], around]
    cut = [_unit(wide[:, shift : shift + LENGTH]) for shift in range(3)]
    shapes = np.stack([shape for shape, _ in cut], axis=1)
    return Places(rows, look.blocks[rows] - TAIL - HOP + columns, here[rows, columns], cut[1][1], shapes)


class Beats(SlotArrays):
    """Beats of `slots` leads. state: dict of arrays [slots, ...]."""

    def fresh(self, slots: int) -> State:
        """State of `slots` leads that have heard nothing."""
        return {
            "count": np.zeros(slots, np.int64),
            "height": np.zeros(slots),
            "size": np.zeros(slots),
            "template": np.zeros((slots, LENGTH)),
            "last": np.zeros((slots, LENGTH)),
            "at": np.full((slots, KEPT), -REFRACTORY, np.int64),
            "alike": np.zeros((slots, KEPT)),
            "like_last": np.zeros((slots, KEPT)),
        }

    def take(self, slots: Slots, found: Places) -> None:
        """Steep places of looks at these slots (each once, ascending): those that are beats are remembered."""
        for chosen in rounds(found.look):
            where = slots[found.look[chosen]]
            usual = self.state["height"][where]
            beats = (found.height[chosen] >= OWN * usual) & (
                found.at[chosen] - self.state["at"][where, -1] >= REFRACTORY
            )
            if beats.any():
                chosen = chosen[beats]
                self._learn(where[beats], Places(*(each[chosen] for each in found)))

    def _learn(self, where: Slots, found: Places) -> None:
        """A beat of each of these slots."""
        state, at, height, shapes, shape = self.state, found.at, found.height, found.shapes, found.shapes[:, 1]
        count, usual, template = state["count"][where], state["height"][where], state["template"][where]
        known = count > 0
        length = np.maximum(np.sqrt((template * template).sum(axis=1)), 1e-9)
        alike = np.where(known, (template[:, None] * shapes).sum(axis=2).max(axis=1) / length, 1.0)
        like_last = np.where(known, (shape * state["last"][where]).sum(axis=1), 1.0)
        pace = np.where(alike > ALIKE, QUICK, SLOW)
        learnt = template + pace[:, None] * (shape - template)
        state["template"][where] = np.where(known[:, None], learnt, shape)
        state["height"][where] = np.where(known, usual + QUICK * (np.minimum(height, 2 * usual) - usual), height)
        size, whole = found.size, state["size"][where]
        state["size"][where] = np.where(known, whole + pace * (np.minimum(size, 2 * whole) - whole), size)
        ratio = size / np.maximum(whole, 1e-9)
        alike = np.where(known, alike * np.minimum(ratio, 1 / np.maximum(ratio, 1e-9)), alike)
        state["last"][where] = shape
        for name, value in (("at", at), ("alike", alike), ("like_last", like_last)):
            rows = state[name][where]
            rows[:, :-1] = rows[:, 1:]
            rows[:, -1] = value
            state[name][where] = rows
        state["count"][where] = count + 1

    def may_run(self, slots: Slots, oldest: NDArray[np.int64], beats: int, longest: Floats) -> NDArray[np.bool_]:
        """Whose last beats follow one another quickly enough for a tachycardia (see `run`), the last not before
        `oldest` [n]: bool [n].
        """
        at, few = self.state["at"][slots], min(beats, KEPT)
        quick = at[:, -1] - at[:, -few] <= (beats - 1) * longest
        return np.asarray(quick & (at[:, -1] >= oldest) & (self.state["count"][slots] >= beats))

    def last(self, slot: int) -> Strokes:
        """The last beats of one lead."""
        state = self.state
        begin = KEPT - min(int(state["count"][slot]), KEPT)
        return Strokes(*(state[name][slot, begin:].tolist() for name in Strokes._fields))


def run(one: Strokes, other: Strokes, beats: int, rr: tuple[float, float], begun: bool) -> int | None:
    """The first beat of the tachycardia that a lead's last beats are, blocks since the reset; None where they are none.

    other: the other lead. beats: of a tachycardia. rr: its shortest and longest mean RR interval, blocks.
    begun: it is known already, and need not be faster than what was before.
    """
    at = one.at[-beats:]
    if len(at) < beats or not (beats - 1) * rr[0] <= at[-1] - at[0] <= (beats - 1) * rr[1]:
        return None
    steps = np.diff(at)
    if steps.max() > EVEN * steps.min() or sorted(one.alike[-beats:])[-1 - STRAYS] >= UNLIKE:
        return None
    if sorted(one.like_last[-beats + 1 :])[STRAYS] <= ONE_ANOTHER:
        return None
    there = [
        alike for place, alike in zip(other.at, other.alike, strict=True) if at[0] - NEAR <= place <= at[-1] + NEAR
    ]
    if there and sum(there) >= UNLIKE * max(len(there), beats):
        return None
    if not begun:
        before = np.diff(one.at[-beats - EARLIER : -beats])
        if len(before) < FEWEST or steps.mean() > FASTER * np.median(before):
            return None
    return at[0]


def _unit(pieces: Floats) -> tuple[Floats, Floats]:
    """Shapes [p, LENGTH] without their means and of unit length, and their lengths before [p]."""
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    size = np.sqrt((pieces * pieces).sum(axis=1))
    return np.asarray(pieces / np.maximum(size, 1e-9)[:, None]), size
