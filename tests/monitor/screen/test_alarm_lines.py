"""The banner and the list of alarms: steady, in the order of urgency, each with the times and numbers it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from rich.cells import cell_len

from ecg.wire.messages import ActiveAlarm
from monitor.alarms import KINDS, PRIORITY
from monitor.link.protocol import BedSummary, Notice, Show
from monitor.screen.draw.alarm_lines import alarm_lines, banner
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import PHOSPHOR
from monitor.screen.labels import SHORT, TABLE, Labels, Language
from monitor.screen.state.alarms import RANK, ordered
from monitor.screen.state.history import WardHistory
from monitor.screen.widgets.tiles import LEAST_WIDTH, Tile
from tests.support.driving import application
from tests.support.shown_ward import WardLink

RATE = 360
LANGUAGES: tuple[Language, ...] = ("en", "ja")


def bed(*alarms: ActiveAlarm, heart_rate: float = 70.0, **raised: int) -> BedSummary:
    return BedSummary(
        bed="bed-1",
        record="208",
        state="ok",
        rate=RATE,
        leads=["MLII"],
        stream="208/0",
        last_index=100_000,
        heart_rate=heart_rate,
        pvc_per_minute=0,
        lost=0,
        alarms=list(alarms),
        raised=raised,
    )


def alarm(kind: str, onset: int = 0, text: str = "", **state: bool) -> ActiveAlarm:
    return ActiveAlarm(kind, PRIORITY[kind], onset, text or kind, **state)


def told(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line.segments) for line in lines]


def listed(
    shown: BedSummary, ended: list[Notice] | None = None, width: int = 70, language: Language = "en"
) -> list[str]:
    return told(alarm_lines(shown, ended or [], 12, width, PHOSPHOR, Labels(language)))


def fronts(link: WardLink, seconds: int) -> Iterator[BedSummary]:
    """The bed, its front alarm first, at every quarter of a second."""
    ward = WardHistory()
    link.send(Show(["bed-1"]))
    for _ in range(4 * seconds):
        link.clock.now += 0.25
        snapshot = link.snapshot()
        assert snapshot is not None
        ward.take(snapshot)
        yield ward.beds["bed-1"]


def test_the_banner_stays_while_its_alarm_stands_and_nothing_graver_comes() -> None:
    changes, flips = 0, 0
    before: BedSummary | None = None
    for now in fronts(WardLink(1, 1.0, shift=0), 290):
        if before is not None and before.alarms and now.alarms:
            was, front = before.alarms[0], now.alarms[0]
            stands = before.raised[was.kind] == now.raised.get(was.kind)
            changes += was.kind != front.kind
            flips += was.kind != front.kind and stands and RANK[front.priority] <= RANK[was.priority]
        before = now
    assert changes > 0 and flips == 0


def test_couplet_and_trigeminy_do_not_take_turns() -> None:
    one = bed(alarm("trigeminy", 50), trigeminy=100)
    one = msgspec.structs.replace(one, alarms=ordered(one))
    couplet = bed(alarm("couplet", 150), trigeminy=100, couplet=200)  # the service hides trigeminy behind the couplet
    couplet = msgspec.structs.replace(couplet, alarms=ordered(couplet, one))
    assert [each.kind for each in couplet.alarms] == ["trigeminy", "couplet"]
    over = bed(alarm("couplet", 150), couplet=200)
    assert [each.kind for each in ordered(over, couplet)] == ["couplet"]
    run = bed(alarm("ventricular_run", 250), trigeminy=100, ventricular_run=300)
    assert [each.kind for each in ordered(run, couplet)] == ["ventricular_run"]


def test_alarms_stand_by_priority_and_then_by_the_time_they_were_raised() -> None:
    frequent = alarm("frequent_v", 25 * RATE)  # the onset lies long before
    shown = bed(
        alarm("pause", 50 * RATE),
        alarm("atrial_fibrillation", 10 * RATE),
        alarm("couplet", 60 * RATE),
        frequent,
        pause=53 * RATE,
        atrial_fibrillation=40 * RATE,
        couplet=62 * RATE,
        frequent_v=80 * RATE,
    )
    assert [each.kind for each in ordered(shown)] == ["atrial_fibrillation", "pause", "couplet", "frequent_v"]


def test_asystole_takes_the_banner_from_any_alarm_that_it_hides() -> None:
    brady = bed(alarm("extreme_bradycardia", 10), extreme_bradycardia=20)
    silent = bed(alarm("asystole", 30), extreme_bradycardia=20, asystole=40)
    assert [each.kind for each in ordered(silent, brady)] == ["asystole"]


def test_an_acknowledged_alarm_gives_way_to_one_that_is_not() -> None:
    seen = bed(alarm("trigeminy", 50, acknowledged=True), trigeminy=100)
    couplet = bed(alarm("couplet", 150), trigeminy=100, couplet=200)
    assert [each.kind for each in ordered(couplet, seen)] == ["couplet"]


def test_the_banner_counts_the_other_alarms() -> None:
    shown = bed(alarm("pause", 5, "Pause: no beat for 2.5 s"), alarm("couplet"), alarm("lead_off"))
    line = told([banner(shown, [], 60, True, PHOSPHOR, Labels("en"))])[0]
    assert line.startswith(" !! Pause: no beat for 2.5 s  +2 ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alarm_has_a_short_name_that_fits_the_smallest_tile(language: Language) -> None:
    labels = Labels(language)
    link = WardLink(1, 1.0)
    desk = application(link).desk
    desk.labels = labels
    assert set(KINDS) == set(SHORT) <= set(TABLE)
    for kind in KINDS:
        name = labels.short(kind, "")
        assert 0 < cell_len(name) <= 14
        tile = Tile(LEAST_WIDTH, 5, 25, 10, 2.0)
        tile.frame(bed(alarm(kind, text="An alarm with a name that is much too long for a tile")), False, desk)
        seen = tile.strip(4).text
        assert "…" not in seen and (name in seen or labels.known(kind, "") in seen)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rate_of_now_and_the_limit_of_its_alarm_stand_side_by_side(language: Language) -> None:
    slow = bed(alarm("bradycardia", text="Rate below 50/min"), heart_rate=68.0)
    for width in (70, 40):
        line = listed(slow, width=width, language=language)[1]
        assert re.search(r"\b68\b", line) and re.search(r"\b50\b", line)
    link = WardLink(1, 1.0)
    desk = application(link).desk
    desk.labels = Labels(language)
    tile = Tile(LEAST_WIDTH, 5, 25, 10, 2.0)
    tile.frame(slow, False, desk)
    assert "68" in tile.strip(4).text and "50" in tile.strip(4).text


def test_an_alarm_is_listed_at_the_time_it_was_raised_with_its_onset_beside_it() -> None:
    shown = bed(alarm("frequent_v", 25 * RATE, "More than 10 V per minute"), frequent_v=80 * RATE)
    assert listed(shown)[1].split() == "! 1:20.0 More than 10 V per minute since 0:25.0".split()
    assert listed(shown, width=38)[1].split() == "! 1:20.0 Frequent V since 0:25.0".split()
    assert "開始 0:25.0" in listed(shown, language="ja")[1]


def test_alarms_that_ended_are_listed_with_their_end_and_only_those_of_this_stream() -> None:
    def notice(kind: str, onset: int, until: int, stream: str = "208/0") -> Notice:
        return Notice(
            wall_s=0, bed="bed-1", stream=stream, index=onset * RATE, kind="end", text=kind, until=until * RATE
        )

    ended = [notice("couplet", 70, 71), notice("pause", 20, 23), notice("asystole", 1, 9, "207/0")]
    shown = bed(alarm("couplet", 70 * RATE, "Couplet of V"), couplet=71 * RATE)  # over, but shown for a minimum time
    lines = listed(shown, ended)
    assert [line.split() for line in lines[2:]] == ["Pause 0:20.0 to 0:23.0, over".split()]
    assert [line.split() for line in listed(bed(), ended)[2:]] == [
        "Couplet 1:10.0 to 1:11.0, over".split(),
        "Pause 0:20.0 to 0:23.0, over".split(),
    ]
    assert "終了" in listed(bed(), ended, language="ja")[2]


def test_the_ward_tells_when_alarms_were_raised_and_when_they_ended() -> None:
    link = WardLink(1, 1.0, shift=0)
    notices: list[Notice] = []
    late: set[str] = set()
    link.send(Show(["bed-1"]))
    for _ in range(120):
        link.clock.now += 1.0
        snapshot = link.snapshot()
        assert snapshot is not None
        notices += [notice for notice in snapshot.notices if notice.kind in ("alarm", "end")]
        for each in snapshot.beds[0].alarms:
            assert each.onset <= snapshot.beds[0].raised[each.kind] <= snapshot.beds[0].last_index
            late |= {each.kind} if snapshot.beds[0].raised[each.kind] > each.onset else set()
    ends = [notice for notice in notices if notice.kind == "end"]
    assert ends and all(notice.until >= notice.index for notice in ends)
    assert all(notice.until == -1 for notice in notices if notice.kind == "alarm")
    assert late
