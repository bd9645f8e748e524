"""Conditions that beats make: rates, runs and patterns of V, R-on-T, irregular rhythm.

Each beat updates a few counters of the bed's state; definitions and sources are in docs/alarms.md. A beat
"counts as V" where its AAMI class is V; fusion beats (F) do not.
"""

from __future__ import annotations

from typing import Protocol

from monitor.alarms import runs, witness
from monitor.alarms.irregular import RELEASE, SURE_P_WAVES, began, ended, irregularity, p_waves
from monitor.alarms.limits import FAST_RR, Limits
from monitor.alarms.runs import Conditions as Told
from monitor.alarms.state import BedState, Evidence


class Conditions(Told, Protocol):
    """Where conditions are raised, ended and held back."""

    def hold(self, kind: str, onset: int, index: int) -> None:
        """The condition would be true since `onset`, known at `index`, and is not believed."""


AF_EVERY = 2
"""Beats between two looks at the irregularity."""
ECTOPIC = ("S", "V", "F")
LONGEST_RR_SECONDS = 2.5
"""A longer interval is a pause, or a beat was missed: it says nothing about irregularity."""
OTHERS = {"bigeminy": 1, "trigeminy": 2}
"""Beats other than V in one cycle."""


def beat(to: Conditions, state: BedState, limits: Limits, index: int, cls: str, evidence: Evidence) -> None:
    """Everything that follows from a beat of class `cls` at sample `index`."""
    beats = state.beats
    state.evidence.append(evidence)
    if len(state.evidence) > max(limits.vt_beats, witness.KNOWN):
        del state.evidence[0]
    witness.found(state)
    runs.broad(to, state, limits, index)
    if cls == "V":
        if state.last_class and state.last_class != "V":
            _r_on_t(to, state, limits, index)
        _ventricular(to, state, limits, index)
    else:
        _other(to, state, index)
    _remember_rr(state, limits, index, cls, evidence.atrial)
    beats.append(index)
    if len(beats) > limits.beats_kept:
        del beats[: -limits.beats_kept]
    state.last_class = cls
    _rates(to, state, limits, index)
    state.since_af += 1
    if state.since_af >= AF_EVERY and "atrial_fibrillation" in limits.enabled:
        state.since_af = 0
        _irregular(to, state, limits, index)


def stop(to: Conditions, state: BedState, index: int) -> None:
    """No beat has come for so long that no run or pattern goes on; known at `index`."""
    last = state.beats[-1] if state.beats else index
    _end_run(to, state, index)
    for kind in OTHERS:
        to.end(kind, last, index)
        state.cycles[kind] = 0
    state.others = 0
    state.last_class = ""


def forget(state: BedState) -> None:
    """Start afresh: the beats so far say nothing about those to come."""
    state.beats.clear()
    state.run.clear()
    state.recent_v.clear()
    state.rr.clear()
    state.rr_ends.clear()
    state.atrial.clear()
    state.evidence.clear()
    state.second.clear()
    state.denied = state.doubted = -1
    state.broad = False
    state.run_length = state.others = state.since_af = 0
    state.run_named = state.last_class = ""
    for kind in OTHERS:
        state.cycles[kind] = 0


def _ventricular(to: Conditions, state: BedState, limits: Limits, index: int) -> None:
    """A V: runs by length and rate, bigeminy and trigeminy, V per minute."""
    recent = state.recent_v
    recent.append(index)
    if len(recent) > max(limits.frequent + 1, *limits.cycles.values()):
        del recent[0]
    if len(recent) > limits.frequent and index - recent[-limits.frequent - 1] < limits.minute:
        to.raise_("frequent_v", recent[-limits.frequent - 1], index)

    for kind, others in OTHERS.items():
        if state.others == others:
            state.cycles[kind] += 1
        else:
            to.end(kind, state.beats[-1] if state.beats else index, index)
            state.cycles[kind] = 1 if state.others > others else 0
        if state.cycles[kind] >= limits.cycles[kind]:
            to.raise_(kind, recent[-limits.cycles[kind]], index)
    state.others = 0

    run = state.run
    run.append(index)
    state.run_length += 1
    if len(run) > max(limits.vt_beats, limits.rhythm_beats, limits.run_beats):
        del run[0]
    if state.run_length < limits.run_beats:
        return
    if not runs.believable(state, run[-limits.run_beats :]):
        fast = _mean_rr(run, limits.run_beats) <= limits.vt_rr
        to.hold("nonsustained_vt" if fast else "ventricular_run", run[-limits.run_beats], index)
    elif _mean_rr(run, limits.run_beats) <= limits.vt_rr:
        if state.run_named != "nonsustained_vt":
            state.run_named = "nonsustained_vt"
            to.raise_("nonsustained_vt", run[-limits.run_beats], index)
    elif not state.run_named:
        state.run_named = "ventricular_run"
        to.raise_("ventricular_run", run[-limits.run_beats], index)
    if (
        state.run_length >= limits.vt_beats
        and _mean_rr(run, limits.vt_beats) <= limits.vt_rr
        and runs.believable(state, run[-limits.vt_beats :], runs.EVEN)
    ):
        runs.tell(to, state, limits, run[-limits.vt_beats :], index)
    if (
        state.run_length >= limits.rhythm_beats
        and limits.vt_rr < _mean_rr(run, limits.rhythm_beats) <= limits.rhythm_rr
    ):
        to.raise_("ventricular_rhythm", run[-limits.rhythm_beats], index)


def _other(to: Conditions, state: BedState, index: int) -> None:
    """A beat that is not V ends a run, and a pattern when it is one too many."""
    if state.run_length:
        _end_run(to, state, index)
    state.others += 1
    for kind, others in OTHERS.items():
        if state.others > others:
            if state.cycles[kind]:
                to.end(kind, state.beats[-1] if state.beats else index, index)
            state.cycles[kind] = 0


def _end_run(to: Conditions, state: BedState, index: int) -> None:
    """The run in progress ended with its last V; two V make a couplet."""
    if state.run_length == 2:
        to.raise_("couplet", state.run[0], index)
        to.end("couplet", state.run[-1], index)
    elif state.run_length > 2:
        for kind in ("ventricular_tachycardia", "ventricular_rhythm", "nonsustained_vt", "ventricular_run"):
            if kind != "ventricular_tachycardia" or not (state.broad or runs.shown(state.sign)):
                to.end(kind, state.run[-1], index)
    state.run.clear()
    state.run_length = 0
    state.run_named = ""


def _mean_rr(run: list[int], beats: int) -> float:
    """Mean RR interval of the last `beats` V of a run, samples."""
    return (run[-1] - run[-beats]) / (beats - 1)


def _r_on_t(to: Conditions, state: BedState, limits: Limits, index: int) -> None:
    """R-on-T: this V fell within the QT interval of the beat before it."""
    beats = state.beats
    if len(beats) > FAST_RR:
        mean = (beats[-1] - beats[-FAST_RR - 1]) / FAST_RR
        if index - beats[-1] < limits.qt * mean**0.5:
            to.raise_("r_on_t", index, index)
            to.end("r_on_t", index, index)


def _rates(to: Conditions, state: BedState, limits: Limits, index: int) -> None:
    """Tachycardia begins and bradycardia ends with a beat; their opposites come with time too."""
    beats = state.beats
    for kind, count, span in limits.slow_end:
        if len(beats) > count and index - beats[-count - 1] < span and to.lasts(kind):
            to.end(kind, index, index)
    for kind, count, span in limits.fast:
        fast = len(beats) > count and index - beats[-count - 1] < span
        if fast and not to.lasts(kind):
            denied = witness.denies_fast(state, beats[-count - 1], index, count, limits.rate)
            (to.hold if denied else to.raise_)(kind, beats[-count - 1], index)


def _remember_rr(state: BedState, limits: Limits, index: int, cls: str, atrial: float) -> None:
    """Keep the RR interval this beat ends; 0 where an ectopic beat, a pause or noise spoils it."""
    if not state.beats:
        return
    interval = index - state.beats[-1]
    sinus = cls not in ECTOPIC and state.last_class not in ECTOPIC
    usable = sinus and not state.sign.noisy and interval < LONGEST_RR_SECONDS * limits.rate
    state.rr.append(interval if usable else 0)
    state.rr_ends.append(index)
    state.atrial.append(atrial)
    if len(state.rr) > limits.af_beats:
        del state.rr[0], state.rr_ends[0], state.atrial[0]


def _irregular(to: Conditions, state: BedState, limits: Limits, index: int) -> None:
    """Irregular rhythm begins above its limit and ends well below it."""
    if len(state.rr) < limits.af_beats:
        return
    value = irregularity(state.rr)
    if value is None:
        return
    limit, ends = limits.af_irregularity, state.rr_ends
    if not to.lasts("atrial_fibrillation"):
        if value > limit and not p_waves(state.atrial):
            to.raise_("atrial_fibrillation", ends[max(began(state.rr, limit) - 1, 0)], index)
    elif value < RELEASE * limit or p_waves(state.atrial, SURE_P_WAVES):
        to.end("atrial_fibrillation", ends[max(ended(state.rr, limit) - 1, 0)], index)
