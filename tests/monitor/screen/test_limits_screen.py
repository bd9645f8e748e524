"""The limits of a bed at the screen: shown beside their numbers, changed by keys, given back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.link.protocol import SCHEMA, Adjust, Limits
from monitor.screen.views.limits import LimitsScreen
from tests.monitor.screen.test_snapshots import stepping
from tests.support.driving import application, play, running, settings, text
from tests.support.shown_ward import WardLink


async def test_limits_stand_beside_the_rate_and_keys_change_them() -> None:
    link = WardLink(2, 12.0)
    async with running(link) as (app, pilot):
        assert "50–120" in text(app) and "≤ 10" in text(app)
        await pilot.press("k", "down", "right", "right", "down", "left")
        assert isinstance(app.screen, LimitsScreen)
        assert "tachycardia above" in text(app) and "130" in text(app) and "of this bed" in text(app)
        await pilot.press("enter")
        await play(pilot, link, 0.5)
        assert link.intents[-1] == Adjust("bed-1", Limits(v=SCHEMA, tachycardia_rate=130.0, bradycardia_rate=45.0))
        assert "45–130" in text(app)
        await pilot.press("n")
        await play(pilot, link, 0.5)
        assert "50–120" in text(app)
        await pilot.press("p", "k", "delete")
        await play(pilot, link, 0.5)
        assert Adjust("bed-1") in link.intents
        assert "50–120" in text(app)


async def test_limits_that_contradict_one_another_are_not_applied_and_escape_changes_nothing() -> None:
    link = WardLink(1, 6.0)
    async with running(link) as (app, pilot):
        before = list(link.intents)
        await pilot.press("k", "down", *["right"] * 9, "enter")
        assert isinstance(app.screen, LimitsScreen)
        assert "contradict one another" in text(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, LimitsScreen)
        assert [one for one in link.intents if one not in before] == []
        await pilot.press("k", *["down"] * 6, "left", "enter")
        await play(pilot, link, 0.5)
        assert link.intents[-1] == Adjust("bed-1", Limits(v=SCHEMA, frequent_v_per_minute=9))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_limits(language: str, snap_compare: Callable[..., bool]) -> None:
    link = WardLink(1, 12.0, config=settings(language=language))
    keys = stepping(link, ["k", "down", "right"])
    assert snap_compare(application(link), terminal_size=(80, 24), run_before=keys)
