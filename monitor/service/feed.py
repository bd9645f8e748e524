"""What each screen gets to see: snapshots of the ward, with what is new on the beds it shows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from ecg.wire.messages import SIMULATED_SOURCE
from monitor.link.protocol import (
    BeatMark,
    BedDetail,
    BedSummary,
    Follow,
    MadeUp,
    Notice,
    ServiceStatus,
    Show,
    Snapshot,
    Strip,
    Study,
    TruthNote,
)
from monitor.service.alarm_book import AlarmBook
from monitor.service.courses import Courses
from monitor.service.notices import notices
from monitor.service.studies import Studies
from monitor.ward.bed import Bed
from monitor.ward.events import BeatRead, Event
from monitor.ward.history import History
from monitor.ward.lead_states import lead_states, word
from monitor.ward.limits import in_force, own_of
from monitor.ward.ward import Ward

SUMMARY_SECONDS: Final = 0.2
MOST_NOTICES: Final = 200
RECENT_NOTICES: Final = 60
"""Lines that a screen which comes later is told too."""
MOST_BYTES: Final = 8 << 20
"""Signal in one snapshot; beds beyond that come with the next."""
BYTES_PER_SAMPLE: Final = 4
AWAY_SECONDS: Final = 60.0
"""Signal that a screen may have missed and is told whole: a replay at 60 times real time brings 15 s in a message."""

T = TypeVar("T")


@dataclass(slots=True)
class _Cursor:
    """How much of one bed has been told. history: of the stream that this is about."""

    history: History | None = None
    sample: int = 0
    beat: int = 0
    note: int = 0
    log: int = -1
    point: int = 0


class View:
    """Builds the snapshots of one screen, at the pace at which it takes them.

    Each tells only what is new; the first of a bed, `history_s` seconds of what came before. A screen that was away for
    longer than that is told the bed afresh, so that no snapshot grows with the time since the last.

    now_s: clock that never goes back, the ward's. wall_s: seconds since the epoch, for lines of the alert list.
    book, courses: the alarm logs and courses, where somebody else keeps them.
    """

    def __init__(
        self,
        ward: Ward,
        now_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
        book: AlarmBook | None = None,
        courses: Courses | None = None,
    ) -> None:
        self._ward, self._now_s, self._wall_s = ward, now_s, wall_s
        self.book = book or AlarmBook(wall_s)
        self.courses = courses or Courses(ward)
        self._limits = in_force(ward.config.alarms)
        self._show = Show([], 0.0)
        self._cursors: dict[str, _Cursor] = {}
        self._notices: list[Notice] = []
        self._summarised_s = float("-inf")
        self.studies = Studies(ward)

    @property
    def frames_per_second(self) -> float:
        """How often the screen wants a snapshot."""
        return self._show.frames_per_second

    def show(self, intent: Show) -> None:
        """From now on these beds are shown, each afresh."""
        self._show = intent
        self._cursors = {bed: _Cursor() for bed in intent.beds}

    def study(self, intent: Study) -> None:
        """From now on this bed is studied for this screen."""
        self.studies.ask(intent)

    def follow(self, intent: Follow) -> None:
        """The course of this bed is kept from now on, for all screens."""
        self.courses.ask(intent.bed)

    def take(self, events: list[Event]) -> None:
        """Keep lines for the next snapshot; where they come faster than anyone can read, the oldest go."""
        self.book.take(events)
        self.courses.follow()
        wall_s = self._wall_s()
        self.add([notice for event in events for notice in notices(event, wall_s)])

    def add(self, lines: list[Notice]) -> None:
        """Keep lines that have been put into words already."""
        self._notices += lines
        del self._notices[:-MOST_NOTICES]

    def close(self) -> None:
        """The screen is gone."""
        self.studies.close()

    def build(self, status: ServiceStatus) -> Snapshot:
        """What is new. `beds` is empty in between two summaries of all beds."""
        now = self._now_s()
        summaries: list[BedSummary] = []
        if now - self._summarised_s >= SUMMARY_SECONDS:
            self._summarised_s = now
            summaries = self._summaries(now)
        shown = []
        room = MOST_BYTES
        for name, cursor in self._cursors.items():
            bed = self._ward.beds.get(name)
            if bed is not None and bed.stream and room > 0:
                shown.append(self._detail(bed, cursor, room))
                room -= sum(len(strip.samples) for strip in shown[-1].strips)
        lines, self._notices = self._notices, []
        return Snapshot(status, summaries, shown, lines)

    def _summaries(self, now_s: float) -> list[BedSummary]:
        return [self._summary(bed, now_s) for bed in self._ward.beds.values() if bed.terms.stream]

    def _summary(self, bed: Bed, now_s: float) -> BedSummary:
        ward = self._ward
        sign = ward.alarms.sign(bed.slot)
        limits, settings = ward.alarms.limits_of(bed.slot), ward.alarms.settings_of(bed.slot)
        rate = bed.shown_rate(now_s, settings.asystole_seconds)
        return BedSummary(
            bed=bed.name,
            record=bed.terms.record,
            state=word(bed, sign, now_s, ward.config.monitor.idle_seconds),
            rate=bed.rate,
            leads=bed.terms.leads,
            stream=bed.terms.stream,
            last_index=bed.next,
            heart_rate=None if sign.noisy else rate,
            pvc_per_minute=bed.pvc_per_minute(),
            lost=ward.ledger.run(bed.name, bed.terms.stream).lost,
            alarms=ward.alarms.active(bed.slot),
            silenced_s=ward.alarms.silenced_seconds(bed.slot),
            units=bed.terms.units,
            lead=bed.lead,
            leads_off=bed.leads_off,
            raised=ward.alarms.raised(bed.slot),
            simulated=bed.simulated,
            signal=lead_states(bed, sign),
            held=ward.alarms.held(bed.slot),
            limits=self._limits if limits is None else in_force(settings),
            own=own_of(limits),
        )

    def _detail(self, bed: Bed, cursor: _Cursor, room: int) -> BedDetail:
        """What is new on a bed, in about `room` bytes of signal."""
        history = bed.history
        holds = room / (BYTES_PER_SAMPLE * max(len(bed.terms.leads), 1))
        missed = history.signal.next - cursor.sample
        away = missed > min(max(self._show.history_s, AWAY_SECONDS) * bed.rate, holds)
        fresh = cursor.history is not history or away
        if fresh:
            oldest = bed.next - min(self._show.history_s * bed.rate, holds)
            cursor.history = history
            cursor.sample = int(oldest)
            cursor.beat = history.first_beat + sum(beat.index < oldest for beat in history.beats)
            cursor.point = 0
            cursor.note = history.first_note + sum(note.index < oldest for note in history.notes)
        log = None
        alone = len(self._show.beds) == 1
        if alone and (fresh or cursor.log != self.book.changed(bed.name)):
            cursor.log, log = self.book.changed(bed.name), self.book.entries(bed.name)
        course = self.courses.since(bed.name, bed.stream, cursor.point) if alone else None
        if course is not None:
            cursor.point = course.first + len(course.points)
        strips = history.signal.strips(cursor.sample)
        beats = _after(history.beats, cursor.beat - history.first_beat)
        notes = _after(history.notes, cursor.note - history.first_note)
        cursor.sample = history.signal.next
        cursor.beat = history.first_beat + len(history.beats)
        cursor.note = history.first_note + len(history.notes)
        return BedDetail(
            bed=bed.name,
            stream=bed.stream,
            fresh=fresh,
            strips=[Strip(index, samples.astype("<f4").tobytes()) for index, samples in strips],
            beats=[_mark(beat) for beat in beats],
            made=[] if _of_nobody(bed) else [MadeUp(*made) for made in history.made],
            truth=[TruthNote(note.index, note.symbol, note.rhythm) for note in notes],
            memory=self._ward.recall(bed) if beats or fresh else None,
            studied=self.studies.look(bed.name),
            log=log,
            last_hour=self.book.last_hour(bed) if alone else None,
            course=course,
        )


def _of_nobody(bed: Bed) -> bool:
    """Is all of it simulated? That is said of the bed, and of no stretch of it."""
    return bed.status is not None and bed.status.source == SIMULATED_SOURCE


def _mark(beat: BeatRead) -> BeatMark:
    shares = list(beat.probabilities)
    return BeatMark(beat.index, beat.cls, shares, beat.rr_ms, beat.latency_ms, beat.moved, beat.unsure)


class Views:
    """The views of all screens on one ward. What is the same for all of them is put together once.

    now_s: clock that never goes back, the ward's. wall_s: seconds since the epoch, for lines of the alert list.
    """

    def __init__(
        self, ward: Ward, now_s: Callable[[], float] = time.monotonic, wall_s: Callable[[], float] = time.time
    ) -> None:
        self._ward, self._now_s, self._wall_s = ward, now_s, wall_s
        self.book = AlarmBook(wall_s)
        self.courses = Courses(ward)
        self._open: list[_SharedView] = []
        self._recent: deque[Notice] = deque(maxlen=RECENT_NOTICES)
        self._told: list[BedSummary] = []
        self._told_s = float("-inf")

    def open(self) -> View:
        """A view for one more screen, which is told the last lines too."""
        made = _SharedView(self, self._ward, self._now_s, self._wall_s)
        made.add(list(self._recent))
        self._open.append(made)
        return made

    def closed(self, view: View) -> None:
        """That screen is gone."""
        self._open = [other for other in self._open if other is not view]

    def take(self, events: list[Event]) -> None:
        """Lines for every screen, and what stands in the alarm logs."""
        self.book.take(events)
        self.courses.follow()
        wall_s = self._wall_s()
        lines = [notice for event in events for notice in notices(event, wall_s)]
        self._recent.extend(lines)
        for view in self._open:
            view.add(lines)

    def summaries(self, now_s: float, make: Callable[[float], list[BedSummary]]) -> list[BedSummary]:
        """All beds, no older than the time between two summaries."""
        if now_s - self._told_s >= SUMMARY_SECONDS:
            self._told, self._told_s = make(now_s), now_s
        return self._told


class _SharedView(View):
    """One view among several."""

    def __init__(self, views: Views, ward: Ward, now_s: Callable[[], float], wall_s: Callable[[], float]) -> None:
        super().__init__(ward, now_s, wall_s, views.book, views.courses)
        self._views = views

    def close(self) -> None:
        """The screen is gone."""
        super().close()
        self._views.closed(self)

    def _summaries(self, now_s: float) -> list[BedSummary]:
        return self._views.summaries(now_s, super()._summaries)


def _after(items: deque[T], start: int) -> list[T]:
    """The items from position `start` on, cheaply where they are few at the end."""
    count = len(items) - max(start, 0)
    if count <= 0:
        return []
    return [items[position] for position in range(len(items) - count, len(items))]
