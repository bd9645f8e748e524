"""A second, simple look at the beats of each lead, which knows nothing of the first detector and of the network.

A beat is where the lead rises or falls steepest, if that is OWN of what its beats usually do at least. Its shape, from
130 ms before to 230 ms after, is compared with a running template of the lead's own: what is usual is learnt quickly
from beats that are alike and slowly from others. A run is a ventricular tachycardia in this look where its beats
come evenly and faster than those before, are unlike the usual ones and like one another; and where the other lead,
at the same time, does not show its own usual beats. That holds for beats that the first detector missed, or that the
network takes for something else, in either lead.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from ecg.signal.quality import LEAST_MV, RISE, lifts
from ecg.signal.slots import SlotArrays, State
from monitor.alarms.looks import HOP, WINDOW, Floats, Look

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
"""Half of the beats of a run are that much like the beat before, or more."""
EVEN: Final = 1.5
FASTER: Final = 0.9
"""The interval of a run is at most that share of the median interval before it."""
EARLIER: Final = 10
FEWEST: Final = 4
"""Intervals before a run that are looked at, and without which nothing is said."""


class Strokes(NamedTuple):
    """The last beats of one lead, oldest first.

    at: blocks since the bed's reset. alike: to the usual one. like_last: to the beat before.
    """

    at: list[int]
    alike: list[float]
    like_last: list[float]


NONE: Final = Strokes([], [], [])


class Beats(SlotArrays):
    """Beats of one lead of `slots` beds. state: dict of arrays [slots, ...]."""

    def fresh(self, slots: int) -> State:
        """State of `slots` beds that have heard nothing."""
        return {
            "count": np.zeros(slots, np.int64),
            "height": np.zeros(slots),
            "template": np.zeros((slots, LENGTH)),
            "last": np.zeros((slots, LENGTH)),
            "at": np.full((slots, KEPT), -REFRACTORY, np.int64),
            "alike": np.zeros((slots, KEPT)),
            "like_last": np.zeros((slots, KEPT)),
        }

    def find(self, look: Look) -> list[Strokes]:
        """The beats of each bed of a look, the new ones among them."""
        lift = np.pad(lifts(look.means), ((0, 0), (RISE, 0)))
        begin, end = WINDOW - TAIL - HOP, WINDOW - TAIL
        near = lift[:, begin - APART : end + APART]
        tops = maximum_filter1d(near, 2 * APART + 1, axis=1)[:, APART:-APART]
        found = (lift[:, begin:end] >= tops) & (tops > LEAST_MV)
        found &= look.blocks[:, None] - WINDOW + begin + np.arange(HOP) >= BEFORE + RISE
        state, where = self.state, look.slots
        for row, column in zip(*(axis.tolist() for axis in np.nonzero(found)), strict=True):
            at = int(look.blocks[row]) - TAIL - HOP + column
            self._take(int(where[row]), at, look.means[row], begin + column, float(lift[row, begin + column]))
        return [
            Strokes(
                *(state[name][slot, KEPT - min(int(state["count"][slot]), KEPT) :].tolist() for name in Strokes._fields)
            )
            for slot in where.tolist()
        ]

    def _take(self, slot: int, at: int, means: Floats, place: int, height: float) -> None:
        """A steep place of a bed: if it is a beat, it is remembered."""
        state = self.state
        usual = float(state["height"][slot])
        if height < OWN * usual or at - state["at"][slot, -1] < REFRACTORY:
            return
        shape = _shape(means, place)
        alike = like_last = 1.0
        if state["count"][slot]:
            template = state["template"][slot]
            size = max(float(np.sqrt(template @ template)), 1e-9)
            around = _shape(means, place - 1), shape, _shape(means, place + 1)
            alike = max(float(template @ one) for one in around) / size
            like_last = float(shape @ state["last"][slot])
            state["template"][slot] += (QUICK if alike > ALIKE else SLOW) * (shape - template)
            state["height"][slot] += QUICK * (min(height, 2 * usual) - usual)
        else:
            state["template"][slot], state["height"][slot] = shape, height
        state["last"][slot] = shape
        for name, value in (("at", at), ("alike", alike), ("like_last", like_last)):
            state[name][slot, :-1] = state[name][slot, 1:]
            state[name][slot, -1] = value
        state["count"][slot] += 1


def run(one: Strokes, other: Strokes, beats: int, longest: float, begun: bool) -> int | None:
    """The first beat of the tachycardia that a lead's last beats are, blocks since the reset; None where they are none.

    other: the other lead. beats: of a tachycardia. longest: mean RR interval, blocks. begun: it is known already, and
    need not be faster than what was before.
    """
    at = one.at[-beats:]
    if len(at) < beats or at[-1] - at[0] > (beats - 1) * longest:
        return None
    steps = np.diff(at)
    if steps.max() > EVEN * steps.min() or sorted(one.alike[-beats:])[-2] >= UNLIKE:
        return None
    if np.median(one.like_last[-beats + 1 :]) <= ONE_ANOTHER:
        return None
    there = [alike for place, alike in zip(other.at, other.alike, strict=True) if at[0] - 6 <= place <= at[-1] + 6]
    if there and sum(there) >= UNLIKE * len(there):
        return None
    if not begun:
        before = np.diff(one.at[-beats - EARLIER : -beats])
        if len(before) < FEWEST or steps.mean() > FASTER * np.median(before):
            return None
    return at[0]


def _shape(means: Floats, place: int) -> NDArray[np.float64]:
    """A beat's shape, without its mean and of unit length."""
    piece = means[place - BEFORE : place + AFTER]
    piece = piece - piece.mean()
    return np.asarray(piece / max(float(np.sqrt(piece @ piece)), 1e-9))
