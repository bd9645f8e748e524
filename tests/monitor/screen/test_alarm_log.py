"""The alarm log at the screen: a trace of every alarm, filters, and the jump to its strip."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.link.protocol import Acknowledge
from monitor.screen.views.alarm_log import AlarmLogView
from monitor.screen.views.bedside import BedsideView
from monitor.screen.views.review import ReviewView
from tests.monitor.screen.test_snapshots import stepping
from tests.support.driving import application, play, running, settings, text
from tests.support.shown_ward import WardLink, spoilt


async def test_the_log_keeps_what_ended_says_who_acknowledged_and_jumps_to_the_strip() -> None:
    link = WardLink(1, 46.0, records=[spoilt(14, 32)])
    async with running(link, who="ada", size=(120, 30)) as (app, pilot):
        await pilot.press("e")
        await play(pilot, link, 0.5)
        view = app.view
        assert isinstance(view, AlarmLogView)
        log = view.whole
        assert {entry.kind for entry in log if entry.over >= 0} >= {"cannot_analyse", "tachycardia"}
        assert [entry.raised for entry in log] == sorted((entry.raised for entry in log), reverse=True)
        assert "ECG cannot be analysed" in text(app) and "RAISED" in text(app) and "last hour: " in text(app)
        await pilot.press("a")
        await play(pilot, link, 0.5)
        assert Acknowledge("bed-1", who="ada") in link.intents
        seen = [entry for entry in view.whole if entry.acknowledged >= 0]
        assert all(entry.by == "ada" for entry in seen)
        assert ("ada" in text(app)) == bool(seen)
        await pilot.press("tab")
        await play(pilot, link, 0.25)
        assert {entry.priority for entry in view.entries} <= {"high"}
        await pilot.press("tab", "o")
        await play(pilot, link, 0.25)
        assert {entry.kind for entry in view.entries} <= {view.kind}
        while view.kind != "cannot_analyse":
            await pilot.press("o")
        await play(pilot, link, 0.25)
        (chosen,) = view.entries
        await pilot.press("enter")
        await play(pilot, link, 0.5)
        assert isinstance(app.view, ReviewView)
        since, until = app.view.shown
        assert since <= chosen.onset < until
        await pilot.press("r", "e")
        assert isinstance(app.view, BedsideView)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_log(language: str, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    link = WardLink(1, 46.0, config=settings(language=language), records=[spoilt(14, 32)])
    assert snap_compare(application(link), terminal_size=(100, 30), run_before=stepping(link, ["e", "down"]))
