"""What the other lead and the pulse say to the rate of the leading lead's beats: yes, no, or more than it does."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from monitor.alarms.limits import Limits
from monitor.alarms.state import NEVER, UNKNOWN, BedState

MORE: Final = 1.5
"""So many times the beats in the other lead say that the leading one misses some."""
FEWER: Final = 0.75
"""Less than that share of the beats in the other lead says that the leading one takes noise for beats."""
KNOWN: Final = 16
FOUNDED: Final = 0.5
"""Of so many beats the mean correlation with the usual one, in the better of the leads, is at least that in an ECG."""
SURELY: Final = 0.7
"""And surely that in a bed whose heart has been heard."""
SLOWER: Final = 1.25
"""A steady pulse so many times slower contradicts a tachycardia: a heart that races does not keep it up."""
EVEN: Final = 1.6
"""The longest RR interval of the other lead's tachycardia is at most so many times its shortest."""


def unfounded(state: BedState) -> bool:
    """Are the last beats so unlike one another that what was taken for beats is noise?."""
    return _likeness(state) < FOUNDED


def found(state: BedState) -> None:
    """After a beat: remember that an ECG has been heard, if the last beats are one."""
    state.founded = state.founded or SURELY <= _likeness(state) <= 1


def _likeness(state: BedState) -> float:
    """Mean correlation of the last beats with the usual one in the better lead; 2 where too few are known."""
    if len(state.evidence) < KNOWN:
        return 2.0
    together = 0.0
    for one in state.evidence[-KNOWN:]:
        if one.v == UNKNOWN:
            return 2.0
        together += one.beside if one.beside > one.alike else one.alike
    return together / KNOWN


def denies_slow(state: BedState, since: int, beats: int) -> bool:
    """Is it contradicted that only so many beats came since this R-peak?."""
    sign = state.sign
    return (
        sign.noisy
        or sign.brisk
        or unfounded(state)
        or (sign.second and _count(state, since, state.now) >= MORE * beats)
    )


def denies_fast(state: BedState, since: int, index: int, intervals: int, rate: float) -> bool:
    """Is it contradicted that there were so many RR intervals between these R-peaks?. rate: Hz."""
    return (
        state.sign.noisy
        or unfounded(state)
        or (state.sign.second and _count(state, since, index) < FEWER * intervals)
        or slower_pulse(state, (index - since) / intervals, rate)
    )


def slower_pulse(state: BedState, interval: float, rate: float) -> bool:
    """Does a pulse go on steadily that is too slow for beats so far apart?. interval: samples. rate: Hz."""
    steady = state.sign.steady
    return steady > 0 and steady * SLOWER * interval < 60 * rate


def second_fast(state: BedState, intervals: int, span: float, rate: float) -> int | None:
    """The R-peak since which the other lead alone shows a tachycardia; None where it does not. rate: Hz."""
    second = state.second
    if not state.sign.second or len(second) <= intervals or second[-1] - second[-intervals - 1] >= span:
        return None
    last = second[-intervals - 1 :]
    steps = [after - before for before, after in pairwise(last)]
    even = max(steps) <= EVEN * min(steps)
    return last[0] if even and not slower_pulse(state, (last[-1] - last[0]) / intervals, rate) else None


def fast_until(state: BedState, limits: Limits, kind: str) -> int:
    """The sample at which a tachycardia is over if no more beats come, in either lead."""
    count, end = limits.fast_rr[kind], limits.fast_end[kind]
    until = [state.quiet_since if not state.beats else state.beats[-min(count, len(state.beats))] + end]
    if state.sign.second and len(state.second) >= count:
        until.append(state.second[-count] + end)
    return max(until) if until else NEVER


def _count(state: BedState, since: int, index: int) -> int:
    """Intervals of the other lead between two samples."""
    return sum(since < at <= index for at in state.second)
