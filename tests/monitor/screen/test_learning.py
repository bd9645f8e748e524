"""What the screen teaches: other networks' letters and scores, a memory, the next second, a course."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from ecg.records.record import Annotations
from ecg.trends import change, smoothed
from monitor.link.merging import merge, studied
from monitor.link.protocol import (
    BESIDE,
    BedDetail,
    Beside,
    Foretold,
    Inside,
    MadeUp,
    Point,
    Studied,
    Study,
    Traced,
    Verdict,
)
from monitor.link.protocol import Course as Told
from monitor.screen.draw.continuation import Ahead, continuation
from monitor.screen.draw.models import ModelTally
from monitor.screen.draw.paper import Paper
from monitor.screen.draw.sweep import SweepPage
from monitor.screen.draw.trend import rules
from monitor.screen.state.study import BedStudy
from monitor.screen.state.trend import Course
from monitor.screen.views.memory import MemoryView
from monitor.screen.views.trend import TrendView
from monitor.service.courses import MOST_BEDS, MOST_VALUES
from tests.support.driving import play, running, settings, text
from tests.support.shown_ward import WardLink, excerpt
from tests.support.studied import stand_ins


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins(monkeypatch)


@pytest.mark.parametrize(("language", "word"), [("en", "NETWORKS"), ("ja", "ネットワーク比較")])
async def test_a_key_puts_another_networks_letters_below(language: Any, word: str) -> None:
    link = WardLink(1, 8.0, truth=True, config=settings(language=language))
    async with running(link) as (app, pilot):
        await pilot.press("3")
        await play(pilot, link, 7)
        assert link.intents[-1] == Study("bed-1", list(BESIDE))
        rows = text(app).splitlines()
        (lane,) = [row for row in rows if row.startswith("gru")]
        assert sum(lane[6:80].count(cls) for cls in "NSVF") > 3 and any(word in row for row in rows)
        for name in ("1 rnn", "2 lstm", "3 gru", "4 tutorial"):
            assert any(f" {name} " in row for row in rows)
        await pilot.press("4")
        await play(pilot, link, 1)
        assert any(row.startswith("tutor") for row in text(app).splitlines())
        assert link.intents[-1] == Study("bed-1", list(BESIDE))  # the same study: the scores go on
        await pilot.press("4")
        await play(pilot, link, 1)
        assert link.intents[-1] == Study("") and word not in text(app)


async def test_a_network_that_is_not_shipped_is_one_sentence() -> None:
    link = WardLink(1, 4.0)
    async with running(link, size=(120, 36)) as (app, pilot):
        await pilot.press("1")
        await play(pilot, link, 1)
        assert app.desk.model == ""
        assert any("memory-rnn is not here" in str(one.message) for one in app._notifications)


async def test_the_memory_view_opens_follows_and_closes() -> None:
    link = WardLink(2, 6.0)
    async with running(link) as (app, pilot):
        await pilot.press("m")
        await play(pilot, link, 8)
        assert isinstance(app.view, MemoryView) and link.intents[-1] == Study("bed-1", [], "own")
        shown = text(app)
        for words in ("ward's own: 32 hidden units", "reset", "update", "WHAT THE VERDICT RESTS ON", "rests"):
            assert words in shown
        letters = next(row for row in shown.splitlines() if row.startswith("beats"))
        assert "".join(one.cls for one in app.desk.study.traced) == letters[9:].replace(" ", "")
        await pilot.press("2")
        await play(pilot, link, 3)
        assert link.intents[-1] == Study("bed-1", list(BESIDE), "lstm") and "LSTM: 32 hidden units" in text(app)
        await pilot.press("n")
        await play(pilot, link, 3)
        assert link.intents[-1] == Study("bed-2", list(BESIDE), "lstm") and " bed-2 " in text(app)
        await pilot.press("m")
        await play(pilot, link, 1)
        assert not isinstance(app.view, MemoryView) and link.intents[-1] == Study("bed-2", list(BESIDE))
        await pilot.press("c")
        await play(pilot, link, 1)
        assert link.intents[-1] == Study("") and link.ward.watchers == []


async def test_the_next_second_is_drawn_and_its_errors_told() -> None:
    link = WardLink(1, 24.0)
    async with running(link) as (app, pilot):
        await pilot.press("d")
        await play(pilot, link, 4)
        shown = text(app)
        assert "FORECAST" in shown and "always the mean" in shown and "linear" in shown
        assert app.desk.study.errors.keys() == {"linear", "mean", "persistence"}
        await pilot.press("d")
        await play(pilot, link, 1)
        assert "FORECAST" not in text(app) and link.ward.watchers == []


@pytest.mark.parametrize(("language", "word"), [("en", "on change"), ("ja", "変化で警報")])
async def test_the_trend_view_shows_the_course(language: Any, word: str) -> None:
    link = WardLink(1, 34.0, config=settings(language=language))
    async with running(link) as (app, pilot):
        await pilot.press("y")
        await play(pilot, link, 1)
        assert isinstance(app.view, TrendView) and word in text(app) and "lesson trend" in text(app)
        await pilot.press("y")
        await play(pilot, link, 0.5)
        assert not isinstance(app.view, TrendView)


async def test_scores_are_those_of_the_letters_over_one_stretch() -> None:
    """With the ward's own letters as the truth, the ward's own network is right and so is its copy, once it agrees."""
    record = excerpt()
    found = [(beat.index, beat.cls) for beat in WardLink(1, 32.0).ward.beds["bed-1"].history.beats]
    notes = Annotations(np.array([at for at, _ in found]), np.array([cls for _, cls in found]), np.full(len(found), ""))
    link = WardLink(1, 8.0, truth=True, records=[replace(record, annotations=notes)])
    async with running(link, model="gru", truth=True) as (app, pilot):
        await play(pilot, link, 20)
        tally = ModelTally()
        tally.follow(app.desk.study, app.desk.ward.shown["bed-1"])
        assert tally.share("own", "V") == (1.0, 1.0) and tally.macro("own") == 1.0
        assert 0.8 < tally.macro("gru") <= 1.0 and tally.macro("tutorial") < 0.5
        counted = {model: int(one.table[:5].sum()) for model, one in tally.tallies.items()}
        assert len(set(counted.values())) == 1 and counted["own"] > 14


def told(number: int = 1, **new: Any) -> Studied:
    return Studied(number=number, stream="s", since=0, **new)


def test_pieces_of_a_study_become_one_and_another_study_begins_anew() -> None:
    look = Inside(model="gru", gates=[], beats=[Traced(5, "N", [0.1], [])], index=5, cls="N", probability=0.9, moves=[])
    one = told(beside=[Beside("gru", 5, [Verdict(5, "N", 0.9)])], inside=look, foretold=[Foretold(3, 50.0, [0.1])])
    two = told(
        beside=[Beside("gru", 9, [Verdict(9, "V", 0.8)]), Beside("lstm", 9, [Verdict(9, "N", 0.8)])], inside=look
    )
    both = studied(one, two)
    assert both is not None and both.inside is not None and len(both.inside.beats) == 2 and len(both.foretold) == 1
    assert [(beside.model, len(beside.verdicts)) for beside in both.beside] == [("gru", 2), ("lstm", 1)]
    other = told(number=2)
    assert studied(one, other) is other and studied(one, None) is one
    study = BedStudy()
    study.take(both, 360.0)
    assert [beat.cls for beat in study.letters["gru"]] == ["N", "V"] and study.foretold(4) is not None
    study.take(other, 360.0)
    assert study.letters == {} and study.inside is None and study.foretold(4) is None


def test_the_continuation_lies_right_of_the_head_where_its_second_will_be() -> None:
    page = SweepPage(Paper(100, 10, 25.0, 10.0))
    per_dot = 360 / page.paper.dots_per_second
    for head in (40, 41, 190, 199):
        page.head = head
        index = int((head + 1) * per_dot)
        made = continuation(page, Foretold(index, 50.0, [0.0] * 25 + [1.0] * 25), 360.0)
        assert made is not None
        columns, trace = made
        first = (head + 2) // 2
        assert columns.tolist() == [(first + place) % 100 for place in range(len(columns))]
        assert abs(2 * len(columns) - page.paper.dots_per_second) <= 3
        heights = [int(np.flatnonzero(trace[:, place])[0]) for place in (1, -2)]
        assert heights[0] > heights[1]
    ahead = Ahead()
    assert ahead.turn(page, Foretold(index, 50.0, [0.0] * 50), 360.0) and ahead.turn(page, None, 360.0)
    assert ahead.turn(page, None, 360.0) == []
    late = Foretold(0, 50.0, [0.0] * 50)  # its second has passed
    assert continuation(page, late, 360.0) is None


def course_of(rates: list[float], pressures: list[float]) -> Course:
    course = Course(stream="s")
    course.values["rate"].extend(rates)
    course.values["pressure"].extend(pressures)
    return course


def test_the_alarm_on_change_rings_before_the_alarm_on_value() -> None:
    falling = [95.0] * 40 + [95 - 1.5 * step for step in range(25)]
    course = course_of([70.0] * 65, falling)
    limits = rules(settings())
    value, changed = limits["pressure"].ringing(course.of("pressure"))
    assert value.any() and changed.any() and np.flatnonzero(changed)[0] < np.flatnonzero(value)[0]
    assert not any(ringing.any() for ringing in limits["rate"].ringing(course.of("rate")))
    low = limits["pressure"].ringing(np.full(60, 60.0))  # a patient who is always low: the value rings, the change not
    assert low[0].all() and not low[1].any()


def test_the_rule_is_a_running_mean_against_the_one_before() -> None:
    values = np.arange(12, dtype=float)
    assert smoothed(values, 3)[5] == 4 and smoothed(values, 3)[0] == 0
    assert change(values, 3, 4)[8] == 4 and change(values, 3, 40).shape == values.shape
    assert change(values, 1, 12)[-1] == 11


def test_a_course_is_of_one_stream_and_skips_what_is_missing() -> None:
    course = Course()
    assert len(course.of("rate")) == 0
    course = course_of([float("nan"), 60.0, float("nan"), 80.0], [float("nan")] * 4)
    assert course.of("rate").tolist() == [60.0, 60.0, 60.0, 80.0] and len(course.of("pressure")) == 0
    course.take(Told("s", 4, [Point(70.0, 1.0, 2.0)]))
    assert course.of("rate").tolist() == [60.0, 60.0, 60.0, 80.0, 70.0] and course.begin == 0
    course.take(Told("s", 9, [Point(50.0, 1.0, 2.0)]))
    assert course.of("rate").tolist() == [50.0] and course.begin == 90


async def test_a_course_goes_on_behind_other_views_and_is_there_for_screens_that_come_later() -> None:
    link = WardLink(2, 34.0)
    async with running(link) as (app, pilot):
        link.clock.now += 11
        await play(pilot, link, 1)
        assert link.view.courses.since("bed-1", "208-excerpt/0", 0) is None, "nobody has asked"
        await pilot.press("y")
        await play(pilot, link, 0.5)
        assert len(app.desk.course.of("rate")) == 4, "what was before is in it"
        await pilot.press("y")
        await pilot.press("n")
        await play(pilot, link, 0.5)
        link.clock.now += 30
        await play(pilot, link, 0.5)
        assert not app.desk.courses.get("bed-2") and len(app.desk.courses["bed-1"].of("rate")) == 4
        await pilot.press("p")
        await pilot.press("y")
        await play(pilot, link, 0.5)
        assert len(app.desk.course.of("rate")) == 7


def test_courses_are_bounded() -> None:
    link = WardLink(1, 25.0)
    courses = link.view.courses
    for number in range(2 * MOST_BEDS):
        courses.ask(f"no-{number}")
    courses.ask("bed-1")
    assert len(courses._kept) == MOST_BEDS
    kept = courses._kept["bed-1"]
    assert kept.next == 2 and len(kept.points) == 2
    kept.points = deque([Point(60.0, 1.0, 1.0)] * MOST_VALUES, maxlen=MOST_VALUES)
    kept.first = -MOST_VALUES + 1
    kept.follow(link.ward.beds["bed-1"])
    assert len(kept.points) == MOST_VALUES and kept.next == 2 and kept.since(1).points == [kept.points[-1]]


def test_a_merged_snapshot_keeps_both_pieces() -> None:
    link = WardLink(1, 5.0)
    first = link.snapshot()
    assert first is not None
    pieces = [
        BedDetail(bed="b", stream="s", fresh=False, strips=[], beats=[], truth=[], studied=told(beside=[one]))
        for one in (Beside("gru", at, [Verdict(at, "N", 1.0)]) for at in (1, 2))
    ]
    pieces[0] = structs.replace(pieces[0], log=[], last_hour={"high": 1}, course=Told("s", 3, [Point(1.0, 1.0, 1.0)]))
    pieces[1] = structs.replace(pieces[1], made=[MadeUp(1, 2, "vt: 208")], course=Told("s", 4, [Point(2.0, 1.0, 1.0)]))
    snapshots = [structs.replace(first, shown=[piece]) for piece in pieces]
    (detail,) = merge(*snapshots).shown
    assert detail.studied is not None and len(detail.studied.beside[0].verdicts) == 2
    assert detail.course is not None and [point.rate for point in detail.course.points] == [1.0, 2.0]
    assert detail.log == [] and detail.last_hour == {"high": 1} and detail.made == [MadeUp(1, 2, "vt: 208")]
