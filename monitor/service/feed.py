"""What the screen gets to see: snapshots of the ward, with what is new on the beds it shows."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Final, TypeVar

from monitor.link.protocol import BedDetail, BedSummary, Notice, ServiceStatus, Show, Snapshot
from monitor.ward.bed import Bed
from monitor.ward.ward import Ward

SUMMARY_SECONDS: Final = 0.2
MOST_NOTICES: Final = 200

T = TypeVar("T")


@dataclass(slots=True)
class _Cursor:
    """How much of one bed has been told."""

    generation: int = -1
    sample: int = 0
    beat: int = 0
    note: int = 0


class View:
    """Builds snapshots. Each tells only what is new; the first of a bed, `history_s` seconds of what came before."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self._show = Show([], 0.0)
        self._cursors: dict[str, _Cursor] = {}
        self._notices: list[Notice] = []
        self._summarised_s = 0.0

    @property
    def frames_per_second(self) -> float:
        """How often the screen wants a snapshot."""
        return min(max(self._show.frames_per_second, 0.5), 60.0)

    def show(self, intent: Show) -> None:
        """From now on these beds are shown, each afresh."""
        self._show = intent
        self._cursors = {bed: _Cursor() for bed in intent.beds}

    def notices(self, notices: list[Notice]) -> None:
        """Keep lines for the next snapshot; where they come faster than anyone can read, the oldest go."""
        self._notices += notices
        del self._notices[:-MOST_NOTICES]

    def build(self, status: ServiceStatus) -> Snapshot:
        """What is new. `beds` is empty in between two summaries of all beds."""
        now = time.monotonic()
        summaries: list[BedSummary] = []
        if now - self._summarised_s >= SUMMARY_SECONDS:
            self._summarised_s = now
            summaries = [self._summary(bed, now) for bed in self._ward.beds.values() if bed.intake.stream]
        shown = []
        for name, cursor in self._cursors.items():
            bed = self._ward.beds.get(name)
            if bed is not None and bed.intake.stream:
                shown.append(self._detail(bed, cursor))
        notices, self._notices = self._notices, []
        return Snapshot(status, summaries, shown, notices)

    def _summary(self, bed: Bed, now_s: float) -> BedSummary:
        ward = self._ward
        return BedSummary(
            bed=bed.name,
            record=bed.intake.record,
            state=bed.state(now_s, ward.config.monitor.idle_seconds),
            rate=bed.rate,
            leads=bed.intake.leads,
            stream=bed.intake.stream,
            last_index=bed.intake.next,
            heart_rate=bed.heart_rate,
            pvc_per_minute=bed.pvc_per_minute(),
            lost=ward.ledger.run(bed.name, bed.intake.stream).lost,
            alarms=ward.alarms.active(bed.slot),
            silenced_s=ward.alarms.silenced_seconds(bed.slot),
        )

    def _detail(self, bed: Bed, cursor: _Cursor) -> BedDetail:
        history = bed.history
        fresh = cursor.generation != bed.generation
        if fresh:
            oldest = bed.intake.next - self._show.history_s * bed.rate
            cursor.generation = bed.generation
            cursor.sample = int(oldest)
            cursor.beat = history.first_beat + sum(beat.index < oldest for beat in history.beats)
            cursor.note = history.first_note + sum(note.index < oldest for note in history.notes)
        strips = history.signal.strips(cursor.sample)
        beats = _after(history.beats, cursor.beat - history.first_beat)
        notes = _after(history.notes, cursor.note - history.first_note)
        cursor.sample = history.signal.next
        cursor.beat = history.first_beat + len(history.beats)
        cursor.note = history.first_note + len(history.notes)
        return BedDetail(
            bed=bed.name,
            stream=bed.intake.stream,
            fresh=fresh,
            strips=strips,
            beats=beats,
            truth=notes,
            memory=self._ward.engine.recall(bed.slot) if beats or fresh else None,
        )


def _after(items: deque[T], start: int) -> list[T]:
    """The items from position `start` on, cheaply where they are few at the end."""
    count = len(items) - max(start, 0)
    if count <= 0:
        return []
    return [items[position] for position in range(len(items) - count, len(items))]
