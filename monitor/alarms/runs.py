"""Runs of ventricular beats: how far they are to be believed, and runs that their letters do not spell.

A ventricular tachycardia is a regular run of beats of another shape than the bed's usual one. A classifier that takes
one beat of it for N or S breaks the run, and noise that is taken for beats makes runs of V: so a run is judged by all
its beats together, by what they are like and by how evenly they come. Where the beats bring no evidence (those of
cardiologists do not), their letters are believed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, Protocol

from monitor.alarms.limits import Limits
from monitor.alarms.state import UNKNOWN, BedState, Evidence, Sign
from monitor.alarms.witness import slower_pulse

EVEN: Final = 1.4
"""The longest RR interval of a tachycardia is at most so many times its shortest."""
EVEN_SHORT: Final = 2.0
"""The same of a shorter run."""
SURELY: Final = 0.5
POSSIBLY: Final = 0.2
"""A beat is ventricular with such a probability of V, or with this one where it is unlike the bed's usual beats."""
UNLIKE: Final = 0.6
UNLIKE_BESIDE: Final = 0.9
"""Its QRS complex is unlike the usual one below that correlation in the lead that leads, and in the other one."""
STRAYS: Final = 1
"""Beats of a tachycardia that may be taken for others."""
PULSE_SECONDS: Final = 1.5
"""So long after a run the pulse is waited for that its beats make."""
USUAL: Final = 0.85
"""Half of the beats of a rhythm that is no run are so far correlated with the bed's usual one, on average less than
POSSIBLY ventricular; FEW are known at least,"""
FEW: Final = 3
BEFORE_SECONDS: Final = 0.2
"""from so long before what a lead takes for its first."""
LAST: Final = 3
"""A tachycardia is over when none of so many beats is ventricular."""


class Conditions(Protocol):
    """Where conditions are raised and ended."""

    def raise_(self, kind: str, onset: int, index: int) -> None:
        """The condition is true since `onset`, known at `index`."""

    def end(self, kind: str, over: int, index: int) -> None:
        """The condition ended at `over`, known at `index`."""

    def lasts(self, kind: str) -> bool:
        """Whether the condition is true at present."""


def shown(sign: Sign) -> bool:
    """Does the signal itself show a ventricular tachycardia?."""
    return (sign.tachycardia or sign.run >= 0) and not sign.lead_off and not sign.fibrillation


def ventricular(one: Evidence) -> bool:
    """Is this beat ventricular, or one that may well be?."""
    unlike = one.alike < UNLIKE and one.beside < UNLIKE_BESIDE
    return one.v >= SURELY or (one.v >= POSSIBLY and unlike)


def usual(state: BedState, since: int, rate: float) -> bool:
    """Are the beats from sample `since` on the bed's usual ones, whatever a lead by itself makes of them?. rate: Hz."""
    count = sum(place >= since - BEFORE_SECONDS * rate for place in state.beats)
    known = [one for one in state.evidence[len(state.evidence) - count :] if one.v != UNKNOWN] if count else []
    if len(known) < FEW:
        return False
    alike = sorted(one.alike for one in known)[len(known) // 2]
    return alike >= USUAL and sum(one.v for one in known) < POSSIBLY * len(known)


def tell(to: Conditions, state: BedState, limits: Limits, run: list[int], index: int) -> bool:
    """Raise a tachycardia, these R-peaks, at once; where a steady pulse is too slow for it, wait for what it does next.

    Returns whether it is raised. The pulse of the beats before the run comes after the run has begun.
    """
    interval = (run[-1] - run[0]) / (len(run) - 1)
    if slower_pulse(state, interval, limits.rate):
        if state.doubted < 0:
            state.doubted, state.doubted_rr = run[0], interval
            state.doubted_until = index + round(PULSE_SECONDS * limits.rate)
        return False
    state.doubted = -1
    to.raise_("ventricular_tachycardia", run[0], index)
    return True


def weigh(to: Conditions, state: BedState, limits: Limits, index: int) -> None:
    """What has become of a tachycardia that was doubted: raised if the pulse no longer denies it."""
    if state.doubted < 0:
        return
    if not slower_pulse(state, state.doubted_rr, limits.rate):
        to.raise_("ventricular_tachycardia", state.doubted, index)
        if not state.run_length and not state.broad and not shown(state.sign):
            to.end("ventricular_tachycardia", state.beats[-1] if state.beats else index, index)
        state.doubted = -1
    elif index >= state.doubted_until:
        state.doubted = -1


def broad(to: Conditions, state: BedState, limits: Limits, index: int) -> None:
    """A tachycardia by all its beats together. index: the newest beat, whose evidence state.evidence ends with."""
    count, beats = limits.vt_beats, state.beats
    slow = count > 1 and (len(beats) < count - 1 or index - beats[1 - count] > (count - 1) * limits.vt_rr)
    if slow and not state.broad:  # as nearly always
        return
    last = state.evidence[-count:]
    if any(one.v == UNKNOWN for one in last):
        return
    if state.broad:
        if not any(ventricular(one) for one in state.evidence[-LAST:]):
            state.broad = False
            if not state.run_length and not shown(state.sign):
                to.end("ventricular_tachycardia", state.beats[-1], index)
        return
    places = [*beats[-count + 1 :], index]
    if len(places) < count or len(last) < count or state.sign.noisy:
        return
    if (
        places[-1] - places[0] <= (count - 1) * limits.vt_rr
        and _even(places, EVEN)
        and sum(map(ventricular, last)) >= count - STRAYS
    ):
        state.broad = tell(to, state, limits, places, index)


def believable(state: BedState, run: list[int], even: float = EVEN_SHORT) -> bool:
    """May this run of V, the last beats there are, be told? run: their R-peaks."""
    known = [one for one in state.evidence[-len(run) :] if one.v != UNKNOWN]
    if not known:
        return True
    return not state.sign.noisy and _even(run, even) and sum(map(ventricular, known)) >= len(known) - STRAYS


def _even(places: list[int], most: float) -> bool:
    """Do beats come evenly?."""
    intervals = [after - before for before, after in pairwise(places)]
    return max(intervals) <= most * min(intervals)
