"""One bed as the monitor knows it: its intake, what is waiting to be processed, and what the screen asks for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from ecg.wire.messages import BedStatus
from monitor.link.protocol import BeatMark, TruthNote
from monitor.ward.history import Recent
from monitor.ward.intake import Intake, Piece

PVC_SECONDS: Final = 60.0
GAPPED_SECONDS: Final = 10.0
"""So long a bed is shown as gapped after samples were lost."""
ARRIVALS: Final = 64


@dataclass(slots=True)
class History:
    """The last minutes of a bed for the screen: signal, beats and reference annotations.

    first_beat, first_note: how many have been dropped at the front since the stream began.
    """

    signal: Recent = field(default_factory=Recent)
    beats: deque[BeatMark] = field(default_factory=deque)
    notes: deque[TruthNote] = field(default_factory=deque)
    first_beat: int = 0
    first_note: int = 0

    def trim(self, before: int) -> None:
        """Forget what lies before sample `before`."""
        self.signal.trim(before)
        while self.beats and self.beats[0].index < before:
            self.beats.popleft()
            self.first_beat += 1
        while self.notes and self.notes[0].index < before:
            self.notes.popleft()
            self.first_note += 1


@dataclass(slots=True, kw_only=True)
class Bed:
    """State of one bed. Times in seconds are of the monotonic clock, sample indices are of the present stream.

    pieces: signal in order that the pipeline has not taken yet. arrivals: (index after the chunk, sent ns, received
    ns) of the last chunks. generation: grows with each new stream.
    """

    name: str
    slot: int
    intake: Intake
    pieces: deque[Piece] = field(default_factory=deque)
    arrivals: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=ARRIVALS))
    history: History = field(default_factory=History)
    status: BedStatus | None = None
    online: bool = True
    heard_s: float = 0.0
    heart_rate: float | None = None
    recent_v: deque[int] = field(default_factory=deque)
    generation: int = 0
    gap_at: int = -1
    any_beat: bool = False
    done: bool = False

    @property
    def rate(self) -> float:
        """Samples per second of the present stream."""
        return self.intake.rate

    def take_blocks(self) -> None:
        """Move what the intake has accepted into the history."""
        for block in self.intake.blocks:
            self.arrivals.append((block.index + len(block.samples), block.sent_ns, block.received_ns))
            self.history.signal.add(block)
        self.intake.blocks.clear()

    def begin(self) -> None:
        """A new stream: nothing of the one before belongs to it."""
        self.generation += 1
        self.history = History()
        self.arrivals.clear()
        self.recent_v.clear()
        self.heart_rate = None
        self.gap_at = -1
        self.any_beat = False
        self.done = False

    def arrival(self, ready: int) -> tuple[int, int]:
        """(sent ns, received ns) of the chunk that brought sample `ready`."""
        sent, received = 0, 0
        for end, *times in reversed(self.arrivals):  # it is nearly always the newest
            if end <= ready and received:
                break
            sent, received = times
        return sent, received

    def pvc_per_minute(self) -> int:
        """V beats in the last minute of signal."""
        limit = self.intake.next - PVC_SECONDS * self.rate
        while self.recent_v and self.recent_v[0] < limit:
            self.recent_v.popleft()
        return len(self.recent_v)

    def state(self, now_s: float, idle_seconds: float) -> str:
        """The bed in a word."""
        if not self.online:
            return "offline"
        if now_s - self.heard_s > idle_seconds:
            return "silent"
        if self.intake.lead_off:
            return "lead off"
        if self.gap_at >= 0 and self.intake.next - self.gap_at < GAPPED_SECONDS * self.rate:
            return "gapped"
        return "ok" if self.any_beat else "learning"
