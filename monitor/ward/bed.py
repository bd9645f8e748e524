"""One bed as the monitor knows it: its intake, what is waiting to be processed, and how it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ecg.wire.messages import SIMULATED, SIMULATED_SOURCE, BedStatus
from monitor.ward.events import BeatRead
from monitor.ward.history import History
from monitor.ward.intake import Intake
from monitor.ward.leading import Leading
from monitor.ward.queued import AT_ONCE_SECONDS as AT_ONCE_SECONDS
from monitor.ward.queued import Queued

LEADS: Final = 2
"""Rows of each bed in what holds state for each lead."""
PVC_SECONDS: Final = 60.0
GAPPED_SECONDS: Final = 10.0
"""So long a bed is shown as gapped after samples were lost."""
NOT_UNDERSTOOD_SECONDS: Final = 10.0
"""So long a bed may send nothing but what cannot be used until that is said."""
STILL_PAUSES: Final = 2.0
"""The signal stands still after so many of the usual pauses between its messages."""
BEATS_LATE_SECONDS: Final = 1.0
"""Signal that a beat may need beyond its R-peak, and more."""


@dataclass(slots=True, kw_only=True)
class SavedBed:
    """What a bed remembers beside its rows in the pipeline. intake: see `Intake.save`."""

    name: str
    intake: dict[str, Any]
    heart_rate: float | None
    recent_v: list[int]
    gap_at: int
    any_beat: bool
    lead: int
    back_at: int
    begun_at: int


class Noted(Protocol):
    """Whoever takes messages of a bed without telling it at once: the lane that it is on."""

    def settle(self, bed: Bed) -> None:
        """Tell the bed what has been noted of it."""

    def next(self, slot: int) -> int:
        """Index of the next sample needed."""

    def heard_s(self, slot: int) -> float:
        """When signal last came."""

    def pause_s(self, slot: int) -> float:
        """The longest pause between messages, as it fades."""

    def waits(self, slot: int) -> int:
        """Samples that wait."""


class Bed(Queued):
    """State of one bed. Times in seconds are of the monotonic clock, sample indices are of the present stream.

    tried_s: when something last came that cannot be used. beat_at: R-peak of the last
    beat. begun_at: sample from which on the memory knows the patient. lane: whoever takes its messages without telling
    it at once, None where nobody does. terms: its intake, for whoever asks it only what such messages do not change:
    names, rate, which leads there are and which are off. beats: of the present stream.
    """

    __slots__ = (
        "_heard_s",
        "_history",
        "any_beat",
        "beat_at",
        "begun_at",
        "gap_at",
        "heart_rate",
        "lane",
        "name",
        "online",
        "recent_v",
        "slot",
        "status",
        "terms",
        "tried_s",
    )

    def __init__(self, *, name: str, slot: int, intake: Intake) -> None:
        self.name, self.slot, self.terms = name, slot, intake
        super().__init__()
        self.lane: Noted | None = None
        self._history = History()
        self.status: BedStatus | None = None
        self.online = True
        self._heard_s = 0.0
        self.tried_s = float("-inf")
        self.heart_rate: float | None = None
        self.beat_at = 0
        self.recent_v: deque[int] = deque()
        self.gap_at = -1
        self.any_beat = False
        self.begun_at = 0

    @property
    def intake(self) -> Intake:
        """Its messages' way to signal, up to date."""
        if self.lane is not None:
            self.lane.settle(self)
        return self.terms

    @property
    def history(self) -> History:
        """Of the present stream, another object for each."""
        if self.lane is not None:
            self.lane.settle(self)
        return self._history

    @property
    def beats(self) -> deque[BeatRead]:
        """The last beats of the present stream."""
        return self._history.beats

    @property
    def next(self) -> int:
        """Index of the next sample needed."""
        return self.terms.next if self.lane is None else self.lane.next(self.slot)

    @property
    def heard_s(self) -> float:
        """When signal last came."""
        return self._heard_s if self.lane is None else self.lane.heard_s(self.slot)

    @heard_s.setter
    def heard_s(self, now_s: float) -> None:
        self._heard_s = now_s

    @property
    def backlog(self) -> int:
        """Samples that wait."""
        return self._backlog if self.lane is None else self._backlog + self.lane.waits(self.slot)

    @property
    def lead(self) -> str:
        """Name of the lead whose beats are the bed's."""
        channels = self.terms.channels
        return self.terms.leads[channels[self.leading.lead].column] if self.terms.leads else ""

    @property
    def leads_off(self) -> list[str]:
        """Names of leads that give no signal while another one does."""
        intake = self.terms
        return [] if intake.lead_off else [intake.leads[one.column] for one in intake.channels if one.off]

    def row(self, lead: int) -> int:
        """The row of one of its leads, 0 or 1, in what holds state for each lead."""
        return LEADS * self.slot + lead

    @property
    def rate(self) -> float:
        """Samples per second of the present stream."""
        return self.terms.rate

    @property
    def stream(self) -> str:
        """Name of the present stream."""
        return self.terms.stream

    def save(self) -> SavedBed:
        """A copy of all that is remembered of a bed whose signal has been processed; no history."""
        return SavedBed(
            name=self.name,
            intake=self.intake.save(),
            heart_rate=self.heart_rate,
            recent_v=list(self.recent_v),
            gap_at=self.gap_at,
            any_beat=self.any_beat,
            lead=self.leading.lead,
            back_at=self.leading.back_at,
            begun_at=self.begun_at,
        )

    def restore(self, saved: SavedBed, now_s: float) -> None:
        """Put back what `save` gave, except the name. Raises ValueError where it is not what a bed remembers.

        now_s: monotonic clock; a bed that has not been heard again yet has not gone for that.
        """
        self.intake.restore(saved.intake)
        self.heart_rate, self.gap_at, self.any_beat = saved.heart_rate, saved.gap_at, saved.any_beat
        self.recent_v = deque(saved.recent_v)
        if saved.lead not in range(len(self.intake.channels)) or not -1 <= saved.back_at <= 1 << 53:
            raise ValueError(f"lead {saved.lead} of {len(self.intake.channels)} leads the bed until {saved.back_at}")
        self.leading = Leading(saved.lead, saved.back_at)
        self.begun_at = saved.begun_at
        self.heard_s, self.online = now_s, not self.intake.ended
        self.beat_at = self.intake.next

    def new_stream(self) -> None:
        """A new stream begins: nothing of the one before belongs to it."""
        self._history = History()
        self.recent_v.clear()
        self.heart_rate = None
        self.gap_at = -1
        self.beat_at = 0
        self.any_beat = False

    def take_blocks(self) -> None:
        """Move what the intake has accepted into the history."""
        for block in self.intake.blocks:
            self._history.add(block)
        self.intake.blocks.clear()

    @property
    def quiet(self) -> bool:
        """Is nothing to come but signal from the leads that are there, with all before it processed?."""
        leading, intake = self.leading, self.terms
        going = self.online and leading.lead == 0 and leading.back_at < 0
        return self.idle and going and intake.undisturbed and self._history.signal.next == intake.next

    def keep(self, index: int, samples: int, codes: bytes) -> None:
        """So many samples from that index on, of messages like the last one, into the history."""
        self._history.extend(index, samples, codes, self.terms.record)

    @property
    def idle(self) -> bool:
        """Does nothing wait?."""
        return not self.pieces and self.begins is None and not self.backlog

    def give_up(self) -> None:
        """Signal that waits will not be read: it is lost."""
        self.intake.unread(self.drop())

    def forget_beats(self) -> None:
        """The memory is empty: the heart rate must be learned anew."""
        self.any_beat = False
        self.heart_rate = None

    def take_beat(self, beat: BeatRead) -> None:
        """Another beat has been read."""
        self.any_beat = True
        self.heart_rate = beat.heart_rate
        self.beat_at = beat.index
        self.beats.append(beat)
        if beat.cls == "V":
            self.recent_v.append(beat.index)
            self.pvc_per_minute()  # nobody else may ask, and the list must not grow

    def pvc_per_minute(self) -> int:
        """V beats in the last minute of signal."""
        limit = self.next - PVC_SECONDS * self.rate
        while self.recent_v and self.recent_v[0] < limit:
            self.recent_v.popleft()
        return len(self.recent_v)

    def misunderstood(self, now_s: float, idle_seconds: float) -> bool:
        """Has the bed sent nothing for a while but what cannot be used?."""
        return now_s - self.heard_s > NOT_UNDERSTOOD_SECONDS and now_s - self.tried_s < idle_seconds

    def shown_rate(self, now_s: float, silence_seconds: float) -> float | None:
        """The heart rate, 1/min; None where no beat was found for so long, or the signal stands still.

        A rate that is not the present one must not stand beside an old trace.
        """
        beats_end = self.beat_at + (silence_seconds + BEATS_LATE_SECONDS) * self.rate
        pause_s = self.terms.owner.pause_s if self.lane is None else self.lane.pause_s(self.slot)
        still_s = max(silence_seconds, STILL_PAUSES * pause_s)
        if self.next > beats_end or now_s - self.heard_s > still_s:
            return None
        return self.heart_rate

    @property
    def simulated(self) -> bool:
        """Does its producer say that the patient is a simulated one?."""
        said = self.status is not None and self.status.source == SIMULATED_SOURCE
        return said or self.terms.record.startswith(SIMULATED)

    def state(self, now_s: float, idle_seconds: float) -> str:
        """The bed in a word."""
        if self.misunderstood(now_s, idle_seconds):
            return "not understood"
        if not self.online:
            return "offline"
        if now_s - self.heard_s > idle_seconds:
            return "silent"
        if self.terms.lead_off:
            return "lead off"
        if self.gap_at >= 0 and self.next - self.gap_at < GAPPED_SECONDS * self.rate:
            return "gapped"
        return "ok" if self.any_beat else "learning"

    def trim(self, seconds: float) -> None:
        """Forget history that is older than that; what has been noted is told, before there is no room for more."""
        self.history.trim(int(self.next - seconds * self.rate))
