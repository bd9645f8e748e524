"""The alarm log of a bed: one entry an alarm, with everything that became of it, and counts of the last hour."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from ecg.settings import AlarmSettings
from monitor.alarms import PRIORITY, BedAlarms, Change
from monitor.service.alarm_book import MOST, AlarmBook
from monitor.ward.bed import Bed
from monitor.ward.events import AlarmChanged

RATE = 100.0


class Told:
    """One bed whose changes go into a book as they come."""

    def __init__(self, book: AlarmBook) -> None:
        self.book, self.alarms, self.stream = book, BedAlarms(AlarmSettings(), RATE), "s-1-0"

    def take(self, changes: list[Change]) -> None:
        self.book.take(
            [
                AlarmChanged(
                    bed="a",
                    stream=self.stream,
                    rate=RATE,
                    index=self.alarms.state.now,
                    active=tuple(self.alarms.active()),
                    changes=tuple(changes),
                )
            ]
        )

    def beats(self, letters: str, every: int, since: int) -> int:
        for number, cls in enumerate(letters):
            self.take(self.alarms.beat(since + number * every, cls))
        return since + len(letters) * every


def bed(stream: str, at: int) -> Bed:
    return cast(Bed, SimpleNamespace(name="a", stream=stream, rate=RATE, next=at))


def test_an_alarm_is_one_entry_with_its_times_and_the_person_who_saw_it() -> None:
    told = Told(AlarmBook(lambda: 1e9))
    end = told.beats("N" * 10, 80, 0)
    told.take(told.alarms.clock(end + 600))  # asystole hides the pause before it
    told.take(told.alarms.beat(end + 700, "N"))
    told.take(told.alarms.acknowledge("", "ada"))
    (asystole,) = [entry for entry in told.book.entries("a") if entry.kind == "asystole"]
    assert (asystole.priority, asystole.onset, asystole.raised, asystole.over) == ("high", 720, 1120, 1500)
    assert (asystole.acknowledged, asystole.acknowledged_s, asystole.by) == (1500, 1e9, "ada")
    assert asystole.text == "Asystole: no beat for 4 s"
    assert told.book.total("a")["high"] == 2  # and the extreme bradycardia that it hid
    assert all(entry.over >= 0 for entry in told.book.entries("a") if entry.kind == "pause")


def test_a_returning_alarm_is_one_entry_and_a_hidden_one_comes_in_when_it_is_shown() -> None:
    told = Told(AlarmBook())
    at = told.beats("N" * 10, 80, 0)
    at = told.beats("VVNNNNVVNNNN", 60, at)
    couplets = [entry for entry in told.book.entries("a") if entry.kind == "couplet"]
    assert [entry.times for entry in couplets] in ([2], [1, 1])
    assert sum(entry.times for entry in couplets) == 2
    at = told.beats("V" * 8, 40, at)
    told.beats("N" * 40, 40, at)
    told.take(told.alarms.acknowledge())
    kinds = [entry.kind for entry in told.book.entries("a")]
    assert kinds.count("ventricular_tachycardia") == 1
    assert "tachycardia" in kinds[: kinds.index("ventricular_tachycardia")]  # hidden while VT stood, told when seen
    assert all(entry.priority == PRIORITY[entry.kind] for entry in told.book.entries("a"))


def test_what_stands_when_its_stream_ends_ends_with_it() -> None:
    told = Told(AlarmBook())
    end = told.beats("N" * 10, 80, 0)
    told.take(told.alarms.clock(end + 600))
    told.book.take([AlarmChanged(bed="a", stream="s-1-0", rate=RATE, index=0, active=(), changes=())])
    assert [(entry.kind, entry.over) for entry in told.book.entries("a") if entry.kind == "asystole"] == [
        ("asystole", end + 600)
    ]


def test_the_last_hour_counts_signal_over_streams_and_the_log_is_bounded() -> None:
    book = AlarmBook()
    for number in range(MOST + 50):
        onset = Change("onset", "couplet", number * 3000, number * 3000)
        book.take([AlarmChanged(bed="a", stream="s-1-0", rate=RATE, index=onset.index, active=(), changes=(onset,))])
    assert len(book.entries("a")) == MOST
    last = (MOST + 49) * 3000
    assert book.last_hour(bed("s-1-0", last + 1)) == {"high": 0, "medium": 0, "low": 120}
    pause = Change("onset", "pause", 100, 50)
    book.take([AlarmChanged(bed="a", stream="s-1-1", rate=RATE, index=100, active=(), changes=(pause,))])
    hour = book.last_hour(bed("s-1-1", 60_000))
    assert hour["medium"] == 1 and 98 <= hour["low"] <= 101
    assert book.last_hour(bed("s-1-1", 500_000)) == {"high": 0, "medium": 0, "low": 0}


def test_what_was_raised_more_than_an_hour_ago_is_not_kept() -> None:
    book = AlarmBook()
    for number in range(3 * 120):  # one every half minute, for three hours
        onset = Change("onset", "couplet", number * 3000, number * 3000)
        book.take([AlarmChanged(bed="a", stream="s-1-0", rate=RATE, index=onset.index, active=(), changes=(onset,))])
    assert len(book._books["a"].raised) == 120
    assert book.last_hour(bed("s-1-0", 3 * 120 * 3000))["low"] == 119
