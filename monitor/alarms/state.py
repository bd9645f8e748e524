"""What one bed's alarms remember: a value that can be copied, saved and put back."""

from __future__ import annotations

from typing import Literal

import msgspec

NEVER = 1 << 62
"""A sample index that no stream reaches."""


class Episode(msgspec.Struct):
    """One alarm that is shown (or hidden by a graver one of its chain).

    onset: sample at which its condition began; raised: at which that was known; over: at which it ended, -1
    while it lasts. A high alarm that is over stays until acknowledged (latched), another for a minimum time.
    """

    onset: int
    raised: int
    over: int = -1
    acknowledged: bool = False


class Sign(msgspec.Struct, frozen=True, array_like=True):
    """What is true of the signal from sample `index` on.

    fibrillation: ventricular fibrillation or flutter, since sample `onset`. unsteady: the baseline is moving so
    much that beats may be missed, or a first look shows what may be fibrillation. lead_off: there is no signal.
    """

    index: int
    fibrillation: bool = False
    unsteady: bool = False
    lead_off: bool = False
    onset: int = -1


class BedState(msgspec.Struct, kw_only=True):
    """Memory of one bed's alarms; every number is a sample index or a count.

    now: everything up to here has been told. deadline: the next sample at which something changes by itself.
    quiet_since: the last beat, or the end of whatever kept beats from being heard. beats: the last R-peaks.
    run: the last V of the run in progress, run_length of them in all, with the worst it has been called.
    others: beats since the last V. cycles: of bigeminy and trigeminy in a row. recent_v: the last V, oldest first.
    rr: the last RR intervals, 0 where one is not to be used, and rr_ends: the R-peaks that end them.
    told: signs not yet reached by the clock.
    """

    now: int
    deadline: int
    quiet_since: int
    sign: Sign
    told: list[Sign] = msgspec.field(default_factory=list)
    stopped: bool = False
    beats: list[int] = msgspec.field(default_factory=list)
    last_class: str = ""
    run: list[int] = msgspec.field(default_factory=list)
    run_length: int = 0
    run_named: Literal["", "ventricular_run", "nonsustained_vt"] = ""
    others: int = 0
    cycles: dict[str, int] = msgspec.field(default_factory=lambda: {"bigeminy": 0, "trigeminy": 0})
    recent_v: list[int] = msgspec.field(default_factory=list)
    rr: list[int] = msgspec.field(default_factory=list)
    rr_ends: list[int] = msgspec.field(default_factory=list)
    since_af: int = 0
    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)
    silenced_until: int = 0


class Change(msgspec.Struct, frozen=True):
    """One entry of the event log.

    what: "onset" (the alarm begins), "end" (its condition is over), "clear" (it is no longer shown),
    "acknowledge", "silence" (kind is "" and onset the sample at which sound comes back).
    index: sample at which it became known. onset: sample at which the episode began.
    over: sample at which it ended, -1 before. hidden: a graver alarm of its chain is shown instead.
    """

    what: Literal["onset", "end", "clear", "acknowledge", "silence"]
    kind: str
    index: int
    onset: int
    over: int = -1
    hidden: bool = False
