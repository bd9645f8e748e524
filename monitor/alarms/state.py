"""What one bed's alarms remember: a value that can be copied, saved and put back."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import msgspec

NEVER = 1 << 62
"""A sample index that no stream reaches."""


class Episode(msgspec.Struct):
    """One alarm that is shown (or hidden by a graver one of its chain).

    onset: sample at which its condition began; raised: at which that was known; over: at which it ended, -1 while
    it lasts. times: how often it began, one message all the same. A high alarm that is over stays until
    acknowledged (latched), another for a minimum time.
    """

    onset: int
    raised: int
    over: int = -1
    acknowledged: bool = False
    times: int = 1


class Sign(msgspec.Struct, frozen=True, array_like=True):
    """What is true of the signal from sample `index` on.

    fibrillation: ventricular fibrillation or flutter, since sample `onset`. unsteady: the baseline is moving so
    much that beats may be missed, or a first look shows what may be fibrillation. lead_off: there is no signal.
    tachycardia: a fast wave that repeats itself beat for beat, since `onset`. still: the sample since which nothing
    like a QRS complex stands in any lead, -1 where something does. alive: a regular pulse goes on; brisk: at such a
    rate that there is no extreme bradycardia. noisy: no lead can be analysed. second: the lead that does not lead
    can be. run: the sample since which a lead's own beats are a ventricular tachycardia, -1 where they are none.
    faults, faults_second: why the first lead and the second cannot be analysed, bits of `ecg.signal.quality.Fault`.
    steady: the rate of a steady pulse, 1/min, 0 where there is none.
    """

    index: int
    fibrillation: bool = False
    unsteady: bool = False
    lead_off: bool = False
    onset: int = -1
    tachycardia: bool = False
    still: int = -1
    alive: bool = False
    brisk: bool = False
    noisy: bool = False
    second: bool = False
    run: int = -1
    faults: int = 0
    faults_second: int = 0
    steady: int = 0

    @property
    def unreadable(self) -> bool:
        """Can no lead be analysed, for noise or because all are off?."""
        return self.noisy or self.lead_off


UNKNOWN = -2.0
"""What stands for a number of a beat that nobody has told."""


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """How sure a beat is, beside its class; UNKNOWN where nobody says.

    v: probability of class V. alike, beside: correlation of its QRS complex with the bed's usual one, in the lead that
    leads and in the other one. atrial: share of the P waves' power that is common to the bed's last ones, in the lead
    that shows more of it.
    """

    v: float = UNKNOWN
    alike: float = UNKNOWN
    beside: float = UNKNOWN
    atrial: float = UNKNOWN


class BedState(msgspec.Struct, kw_only=True):
    """Memory of one bed's alarms; every number is a sample index or a count.

    now: everything up to here has been told. deadline: the next sample at which something changes by itself.
    quiet_since: the last beat, or the end of whatever kept beats from being heard. beats: the last R-peaks. run:
    the last V of the run in progress, run_length of them in all, with the worst it has been called. others: beats
    since the last V. cycles: of bigeminy and trigeminy in a row. recent_v: the last V, oldest first. rr: the last
    RR intervals, 0 where one is not to be used, and rr_ends: the R-peaks that end them; atrial: evidence of P
    waves of those beats. told: signs not yet reached by the clock. evidence: of the last beats. sure: the last beat
    that is one without doubt; unlike: the last that was taken for none. coming: R-peaks of the lead that does not
    lead that the clock has not reached; second: the last of the others. broad: a run of V goes on whatever its
    letters. denied: the beat since which a bradycardia was contradicted. doubted: the first V of a
    tachycardia at intervals of doubted_rr that a steady pulse denies so far, -1 for none; it has until doubted_until.
    held: alarms held back because nothing could be analysed, each kind once in a spell; spell: the kinds of this one.
    unread_since: the sample since which no lead can be analysed, but for moments; read_since: that since which one can
    again; -1 for none. why: what "cannot analyse" says of its reason.
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
    atrial: list[float] = msgspec.field(default_factory=list)
    since_af: int = 0
    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)
    silenced_until: int = 0
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    sure: int = -1
    unlike: int = -1
    coming: list[int] = msgspec.field(default_factory=list)
    second: list[int] = msgspec.field(default_factory=list)
    broad: bool = False
    denied: int = -1
    doubted: int = -1
    doubted_until: int = -1
    doubted_rr: float = 0.0
    held: int = 0
    founded: bool = False
    spell: list[str] = msgspec.field(default_factory=list)
    unread_since: int = -1
    read_since: int = -1
    why: str = ""

    def ordered(self) -> bool:
        """Do its R-peaks follow one another? Those of a memory that was damaged may not."""
        lists = (self.beats, self.run, self.recent_v, self.rr_ends, self.second, self.coming)
        return all(before < after for one in lists for before, after in pairwise(one))


class Change(msgspec.Struct, frozen=True):
    """One entry of the event log.

    what: "onset" (the alarm begins), "again" (it returns while it is still shown, at sample `onset`), "end" (its
    condition is over), "clear" (it is no longer shown), "acknowledge", "silence" (kind is "" and onset the sample
    at which sound comes back). index: sample at which it became known. onset: sample at which the episode began.
    over: sample at which it ended, -1 before. hidden: a graver alarm of its chain is shown instead. "held": nothing
    begins, because no lead can be analysed where beats would have made an alarm. who: of "acknowledge", the person.
    """

    what: Literal["onset", "again", "end", "clear", "acknowledge", "silence", "held"]
    kind: str
    index: int
    onset: int
    over: int = -1
    hidden: bool = False
    who: str = ""
