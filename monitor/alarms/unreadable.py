"""The technical alarm "cannot analyse": no lead of a bed could be analysed for so long, and why."""

from __future__ import annotations

from typing import Final

from ecg.signal import quality
from monitor.alarms.limits import Limits
from monitor.alarms.runs import Conditions
from monitor.alarms.state import NEVER, BedState, Sign

KIND: Final = "cannot_analyse"
READABLE_SECONDS: Final = 2.0
"""A bed that could not be analysed can be again once it could for so long: noise with moments between is one spell."""
FAULTS: Final = {
    quality.Fault.MUSCLE: "muscle or mains",
    quality.Fault.WANDER: "baseline wander",
    quality.Fault.JUMP: "electrode jumps",
    quality.Fault.CLIPPED: "clipped",
}


def signed(state: BedState, sign: Sign) -> None:
    """A sign takes effect: whether a lead can be analysed from now on."""
    if sign.unreadable:
        state.unread_since = sign.index if state.unread_since < 0 else state.unread_since
        state.read_since = -1
    elif state.unread_since >= 0 and state.read_since < 0:
        state.read_since = sign.index


def deadline(to: Conditions, state: BedState, limits: Limits) -> int:
    """The sample at which time alone changes something."""
    if state.read_since >= 0:
        return state.read_since + round(READABLE_SECONDS * limits.rate)
    if state.unread_since >= 0 and KIND in limits.enabled and not to.lasts(KIND):
        return state.unread_since + limits.unreadable
    return NEVER


def tick(to: Conditions, state: BedState, limits: Limits, now: int) -> None:
    """The alarm begins once nothing could be analysed for long enough, and ends once something can for a while."""
    if state.read_since >= 0:
        if now >= state.read_since + round(READABLE_SECONDS * limits.rate):
            to.end(KIND, state.read_since, now)
            state.unread_since = state.read_since = -1
            state.spell.clear()
    elif state.unread_since >= 0 and now >= state.unread_since + limits.unreadable:
        if not to.lasts(KIND):
            state.why = why(state.sign)
        to.raise_(KIND, state.unread_since, now)


def why(sign: Sign) -> str:
    """Why no lead can be analysed, in words."""
    if sign.lead_off:
        return "all leads off"
    found = [words for fault, words in FAULTS.items() if fault & (sign.faults | sign.faults_second)]
    return f"noise ({', '.join(found)})" if found else "noise"
