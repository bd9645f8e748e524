"""Whether a bed's leads can be analysed: each of those that are read, and the bed as a whole."""

from __future__ import annotations

from typing import Final, Literal

from ecg.signal.quality import named
from ecg.wire.messages import LeadState
from monitor.alarms.state import Sign
from monitor.ward.bed import Bed

Signal = Literal["good", "noisy", "off"]
COULD_BE_NOISY: Final = ("ok", "learning", "gapped")
"""Words for a bed that say less than that its signal cannot be analysed."""


def lead_states(bed: Bed, sign: Sign) -> list[LeadState]:
    """Each lead that is read. sign: what the alarms know of the signal."""
    intake, made = bed.terms, []
    for one, faults in zip(intake.channels, (sign.faults, sign.faults_second), strict=False):
        signal: Signal = "off" if one.off else "noisy" if faults else "good"
        made.append(LeadState(intake.leads[one.column], signal, named(faults) if signal == "noisy" else ""))
    return made


def signal_of(bed: Bed, sign: Sign) -> Signal:
    """The bed as a whole: as good as the best of its leads."""
    return "off" if bed.terms.lead_off else "noisy" if sign.noisy else "good"


def word(bed: Bed, sign: Sign, now_s: float, idle_seconds: float) -> str:
    """The bed in a word, as in `Bed.state`, or "noisy"."""
    state = bed.state(now_s, idle_seconds)
    return "noisy" if sign.noisy and state in COULD_BE_NOISY else state
