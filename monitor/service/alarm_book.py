"""The alarm log of each bed: what was raised, when it began and ended, who acknowledged it; and how many an hour."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from monitor.alarms.kinds import PRIORITY
from monitor.alarms.state import Change
from monitor.link.protocol import AlarmEntry
from monitor.ward.bed import Bed
from monitor.ward.events import AlarmChanged, Event

MOST: Final = 200
"""Entries kept of a bed."""
MOST_OF_ALL: Final = 40_000
"""And of all beds together: with many beds each keeps less, but LEAST."""
LEAST: Final = 20
MOST_BEDS: Final = 8192
MOST_COUNTED: Final = 20_000
"""Alarms of one bed in an hour that are counted."""
HOUR_SECONDS: Final = 3600.0


@dataclass(slots=True)
class Book:
    """The log of one bed. entries: by number, oldest first. open: the number of what is shown, by kind. hidden: what a
    graver alarm hides, by kind.

    base_s: signal of the streams before, s; last_s: of this one. raised: (s, priority) in the last hour. changed: how
    often.
    """

    stream: str = ""
    base_s: float = 0.0
    last_s: float = 0.0
    entries: dict[int, AlarmEntry] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    hidden: dict[str, AlarmEntry] = field(default_factory=dict)
    raised: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_COUNTED))
    total: Counter[str] = field(default_factory=Counter)
    changed: int = 0


class AlarmBook:
    """The logs of all beds. wall_s: seconds since the epoch."""

    def __init__(self, wall_s: Callable[[], float] = time.time) -> None:
        self._wall_s = wall_s
        self._books: dict[str, Book] = {}
        self._number = 0

    def take(self, events: Iterable[Event]) -> None:
        """Keep what the alarms of these events did."""
        for event in events:
            if isinstance(event, AlarmChanged):
                self._take(event)

    def changed(self, bed: str) -> int:
        """A number that grows with the bed's log."""
        return self._books[bed].changed if bed in self._books else 0

    def entries(self, bed: str) -> list[AlarmEntry]:
        """The log of a bed, newest first."""
        known = self._books[bed].entries.values() if bed in self._books else []
        return sorted(known, key=lambda entry: (entry.raised_s, entry.raised), reverse=True)

    def last_hour(self, bed: Bed) -> dict[str, int]:
        """How many alarms were raised in the bed's last hour of signal, by priority; a returning one counts once."""
        book = self._books.get(bed.name)
        if book is None:
            return dict.fromkeys(("high", "medium", "low"), 0)
        last_s = bed.next / bed.rate if bed.rate and bed.stream == book.stream else book.last_s
        since_s = book.base_s + last_s - HOUR_SECONDS
        found = Counter(priority for at_s, priority in list(book.raised) if at_s > since_s)
        return {priority: found[priority] for priority in ("high", "medium", "low")}

    def total(self, bed: str) -> dict[str, int]:
        """How many were raised since the bed's first signal, by priority."""
        total = self._books[bed].total if bed in self._books else Counter[str]()
        return {priority: total[priority] for priority in ("high", "medium", "low")}

    def _take(self, event: AlarmChanged) -> None:
        book = self._books.get(event.bed)
        if book is None:
            if len(self._books) >= MOST_BEDS:
                del self._books[next(iter(self._books))]
            book = self._books[event.bed] = Book()
        if event.stream != book.stream or not (
            event.changes or event.active
        ):  # all alarms were reset, or none is there
            self._end(book)
        if event.stream != book.stream:
            book.base_s += book.last_s
            book.stream = event.stream
        book.last_s = event.index / event.rate
        for change in event.changes:
            self._change(book, event, change)
        for alarm in event.active:
            number = book.open.get(alarm.kind)
            if number is None:  # a graver alarm hid it, or it is older than this log
                shown = book.hidden.pop(alarm.kind, None)
                number = self._add(book, shown or self._entry(event, alarm.kind, alarm.onset, event.index))
            if number in book.entries and book.entries[number].text != alarm.text:
                book.entries[number] = replace(book.entries[number], text=alarm.text)
        book.changed += 1

    def _end(self, book: Book) -> None:
        """What is shown ends with its stream."""
        for number in book.open.values():
            entry = book.entries.get(number)
            if entry is not None and entry.over < 0:
                book.entries[number] = replace(entry, over=max(round(book.last_s * entry.rate), entry.onset))
        book.open.clear()
        book.hidden.clear()

    def _change(self, book: Book, event: AlarmChanged, change: Change) -> None:
        kind = change.kind
        if change.what == "onset":
            entry = self._entry(event, kind, change.onset, change.index)
            if change.hidden:
                book.hidden[kind] = entry
            else:
                self._add(book, entry)
            return
        number = book.open.get(kind, -1)
        known = book.entries.get(number) or book.hidden.get(kind)
        if change.what == "clear":
            book.open.pop(kind, None)
            book.hidden.pop(kind, None)
        elif known is not None:
            made = self._after(known, change)
            if number in book.entries:
                book.entries[number] = made
            else:
                book.hidden[kind] = made

    def _after(self, entry: AlarmEntry, change: Change) -> AlarmEntry:
        """An entry after a change."""
        if change.what == "again":
            return replace(entry, over=-1, times=entry.times + 1)
        if change.what == "end":
            return replace(entry, over=change.over)
        if change.what == "acknowledge":
            return replace(entry, acknowledged=change.index, acknowledged_s=self._wall_s(), by=change.who)
        return entry

    def _entry(self, event: AlarmChanged, kind: str, onset: int, raised: int) -> AlarmEntry:
        return AlarmEntry(
            kind=kind,
            priority=PRIORITY[kind],
            stream=event.stream,
            rate=event.rate,
            onset=onset,
            raised=raised,
            raised_s=self._wall_s(),
        )

    def _add(self, book: Book, entry: AlarmEntry) -> int:
        """Another entry, counted; returns its number."""
        self._number += 1
        number = self._number
        book.open[entry.kind], book.entries[number] = number, entry
        at_s = book.base_s + entry.raised / entry.rate
        book.raised.append((at_s, entry.priority))
        while book.raised[0][0] <= at_s - HOUR_SECONDS:
            book.raised.popleft()
        book.total[entry.priority] += 1
        most = max(min(MOST, MOST_OF_ALL // len(self._books)), LEAST)
        while len(book.entries) > most:
            del book.entries[next(iter(book.entries))]
        return number
