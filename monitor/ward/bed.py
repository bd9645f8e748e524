"""One bed as the monitor knows it: its intake, what is waiting to be processed, and how it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from ecg.wire.messages import SIMULATED, SIMULATED_SOURCE, BedStatus
from monitor.ward.events import BeatRead
from monitor.ward.history import History
from monitor.ward.intake import Intake
from monitor.ward.leading import Leading
from monitor.ward.owner import Chunk
from monitor.ward.pieces import Begin, End, Piece, Signal, joined

LEADS: Final = 2
"""Rows of each bed in what holds state for each lead."""
PVC_SECONDS: Final = 60.0
GAPPED_SECONDS: Final = 10.0
"""So long a bed is shown as gapped after samples were lost."""
AT_ONCE_SECONDS: Final = 10.0
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


@dataclass(slots=True, kw_only=True)
class Bed:
    """State of one bed. Times in seconds are of the monotonic clock, sample indices are of the present stream.

    pieces: signal in order that the ward has not taken yet, `backlog` samples. begins: the first message of another
    stream, which waits until they have been taken. history: of the present stream, another object for each. heard_s:
    when signal last came. tried_s: when something last came that cannot be used. beat_at: R-peak of the last beat.
    begun_at: sample from which on the memory knows the patient.
    """

    name: str
    slot: int
    intake: Intake
    pieces: deque[Piece] = field(default_factory=deque)
    backlog: int = 0
    begins: Chunk | None = None
    history: History = field(default_factory=History)
    status: BedStatus | None = None
    online: bool = True
    heard_s: float = 0.0
    tried_s: float = float("-inf")
    heart_rate: float | None = None
    beat_at: int = 0
    recent_v: deque[int] = field(default_factory=deque)
    gap_at: int = -1
    any_beat: bool = False
    begun_at: int = 0
    leading: Leading = field(default_factory=Leading)

    @property
    def lead(self) -> str:
        """Name of the lead whose beats are the bed's."""
        channels = self.intake.channels
        return self.intake.leads[channels[self.leading.lead].column] if self.intake.leads else ""

    @property
    def leads_off(self) -> list[str]:
        """Names of leads that give no signal while another one does."""
        intake = self.intake
        return [] if intake.lead_off else [intake.leads[one.column] for one in intake.channels if one.off]

    def row(self, lead: int) -> int:
        """The row of one of its leads, 0 or 1, in what holds state for each lead."""
        return LEADS * self.slot + lead

    @property
    def rate(self) -> float:
        """Samples per second of the present stream."""
        return self.intake.rate

    @property
    def stream(self) -> str:
        """Name of the present stream."""
        return self.intake.stream

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
        self.history = History()
        self.recent_v.clear()
        self.heart_rate = None
        self.gap_at = -1
        self.beat_at = 0
        self.any_beat = False

    def take_blocks(self) -> None:
        """Move what the intake has accepted into the history."""
        for block in self.intake.blocks:
            self.history.add(block)
        self.intake.blocks.clear()

    def take_begin(self) -> Begin | None:
        """The break that stands before all signal that waits, if there is one."""
        if self.pieces and isinstance(self.pieces[0], Begin):
            return self.pieces.popleft()  # type: ignore[return-value]
        return None

    def take_end(self) -> bool:
        """Is the stream over, with no signal of it waiting?."""
        if self.pieces and isinstance(self.pieces[0], End):
            self.pieces.popleft()
            return True
        return False

    def take_only(self) -> Signal | None:
        """`take_signal` where one signal waits and nothing else, as nearly always; None where that is not so."""
        if len(self.pieces) != 1 or not isinstance(only := self.pieces[0], Signal):
            return None
        self.leading.take(only)
        room, length = self.leading.room(only.index), len(only.samples)
        if length > AT_ONCE_SECONDS * self.rate or (room is not None and length > room):
            return None
        self.pieces.clear()
        self.backlog = 0
        return only

    def take_signal(self) -> Signal | None:
        """Signal up to the next break or change of a lead; None where none waits. Which lead leads it is up to date.

        It is of no more than AT_ONCE_SECONDS: a bed with a lot of signal keeps no other waiting.
        """
        parts: list[Signal] = []
        room = round(AT_ONCE_SECONDS * self.rate)
        while self.pieces and room:
            piece = self.pieces[0]
            if not isinstance(piece, Signal) or (parts and piece.kind != parts[0].kind):
                break
            if not parts:
                self.leading.take(piece)
                room = min(room, self.leading.room(piece.index) or room)
            if len(piece.samples) > room:
                self.pieces[0] = piece.part(room)
                piece = piece.part(0, room)
            else:
                self.pieces.popleft()
            parts.append(piece)
            room -= len(piece.samples)
            self.backlog -= len(piece.samples)
        return joined(parts) if parts else None

    @property
    def idle(self) -> bool:
        """Does nothing wait?."""
        return not self.pieces and self.begins is None

    def add(self, pieces: list[Piece]) -> None:
        """More that the ward is to take."""
        self.pieces.extend(pieces)
        self.backlog += sum(len(piece.samples) for piece in pieces if isinstance(piece, Signal))

    def give_up(self) -> None:
        """Signal that waits will not be read: it is lost. What begins and ends stays: alarms must hear of it."""
        self.intake.unread(self.backlog)
        self.backlog = 0
        kept = [piece for piece in self.pieces if not isinstance(piece, Signal)]
        self.pieces.clear()
        self.pieces.extend(kept)

    def forget_beats(self) -> None:
        """The memory is empty: the heart rate must be learned anew."""
        self.any_beat = False
        self.heart_rate = None

    def take_beat(self, beat: BeatRead) -> None:
        """Another beat has been read."""
        self.any_beat = True
        self.heart_rate = beat.heart_rate
        self.beat_at = beat.index
        self.history.beats.append(beat)
        if beat.cls == "V":
            self.recent_v.append(beat.index)
            self.pvc_per_minute()  # nobody else may ask, and the list must not grow

    def pvc_per_minute(self) -> int:
        """V beats in the last minute of signal."""
        limit = self.intake.next - PVC_SECONDS * self.rate
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
        still_s = max(silence_seconds, STILL_PAUSES * self.intake.owner.pause_s)
        if self.intake.next > beats_end or now_s - self.heard_s > still_s:
            return None
        return self.heart_rate

    @property
    def simulated(self) -> bool:
        """Does its producer say that the patient is a simulated one?."""
        said = self.status is not None and self.status.source == SIMULATED_SOURCE
        return said or self.intake.record.startswith(SIMULATED)

    def state(self, now_s: float, idle_seconds: float) -> str:
        """The bed in a word."""
        if self.misunderstood(now_s, idle_seconds):
            return "not understood"
        if not self.online:
            return "offline"
        if now_s - self.heard_s > idle_seconds:
            return "silent"
        if self.intake.lead_off:
            return "lead off"
        if self.gap_at >= 0 and self.intake.next - self.gap_at < GAPPED_SECONDS * self.rate:
            return "gapped"
        return "ok" if self.any_beat else "learning"
