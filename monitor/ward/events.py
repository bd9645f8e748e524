"""What the ward brings about, as plain values: beats read, alarms changed, memories emptied.

Sinks take them: a publisher, a feed for screens, a recorder, a log, figures. A sink never changes the ward.
Sample indices count at the bed's own rate within `stream`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from ecg.wire.messages import ActiveAlarm
from monitor.alarms.state import Change


class ResetReason(StrEnum):
    """Why a bed's memory is empty from a sample on. Words for people are made where people read them."""

    NEW_BED = "new_bed"
    NEW_RECORD = "new_record"
    RESTARTED = "restarted"
    """The same stream began again: its device was restarted, or counts anew."""
    RESUMED = "resumed"
    """A stream that was said to be over goes on."""
    GAP = "gap"
    LEAD_WAS_OFF = "lead_was_off"
    OVERLOAD = "overload"
    """Signal waited unread for too long, and was given up."""

    @property
    def ends_the_alarms(self) -> bool:
        """Does another stream begin, so that what was active or latched before is not the patient's?."""
        return self in _ANOTHER

    @property
    def lost_signal(self) -> bool:
        """Are samples missing that the patient's heart made?."""
        return self in (ResetReason.GAP, ResetReason.OVERLOAD)


_ANOTHER = (ResetReason.NEW_BED, ResetReason.NEW_RECORD, ResetReason.RESTARTED, ResetReason.RESUMED)


class BeatRead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One beat, found and classified.

    index: R-peak. cls: its AAMI class, the most probable. probabilities: of N, S, V, F, Q. rr_ms, heart_rate (1/min):
    None for a bed's first beat. moved: L2 change of the bed's memory by this beat.
    sent_ns, received_ns: of the chunk that brought the last sample the beat needs, since the epoch. sent_ns: 0 where
    the sender's clock cannot be believed.
    latency_ms: from that sending (where it is 0, from that reception) until the beat was read.
    lookahead_ms: signal time it needs after the R-peak.
    unsure: the letter is not to be relied on: its probability is below what its network's card asks, or no lead can be
    analysed there.
    """

    bed: str
    stream: str
    index: int
    cls: str
    probabilities: tuple[float, ...]
    rr_ms: float | None
    heart_rate: float | None
    moved: float
    sent_ns: int
    received_ns: int
    latency_ms: float
    lookahead_ms: float
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged:
    """The alarms of one bed, known up to sample `index`: what is active, gravest first, and what has changed.

    rate: Hz. active: without those that a graver one hides. changes: oldest first; none where a stream begins.
    """

    bed: str
    stream: str
    rate: float
    index: int
    active: tuple[ActiveAlarm, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReset:
    """The bed's memory is empty from sample `index` on. seconds: of signal that were lost there."""

    bed: str
    stream: str
    index: int
    reason: ResetReason
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstoodChanged:
    """The bed sends, and from sample `index` on nothing of it can be used; or it is understood again."""

    bed: str
    stream: str
    index: int
    understood: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """The bed's producer has carried out a command: no sample before `index` differs because of it.

    what: the command, such as "set". detail: its fields in words, such as "rhythm=vt seconds=20". rate: Hz.
    """

    bed: str
    stream: str
    index: int
    rate: float
    what: str
    detail: str = ""


Event = BeatRead | AlarmChanged | MemoryReset | UnderstoodChanged | Steered
