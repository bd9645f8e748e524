"""A bed whose signal cannot be analysed: the screen says so and why, and shows no heart rate for one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widgets import Digits

from tests.monitor.screen.test_snapshots import stepping
from tests.support.driving import application, play, running, settings, text
from tests.support.shown_ward import WardLink, spoilt


async def test_a_noisy_bed_says_why_and_shows_no_rate_until_it_can_be_read_again() -> None:
    link = WardLink(1, 10.0, records=[spoilt(10, 27)])
    async with running(link, size=(150, 36)) as (app, pilot):
        assert app.view.query_one(Digits).value != "--"
        await play(pilot, link, 16.0)
        seen = text(app)
        assert app.view.query_one(Digits).value == "--"
        assert "noisy: MLII: muscle or mains" in seen
        assert "ECG cannot be analysed: noise (muscle or mains" in seen
        assert app.desk.summary is not None and app.desk.summary.state == "noisy"
        held = app.desk.summary.held
        assert (f"{held} held back for noise" in seen) == bool(held)
        await play(pilot, link, 16.0)
        assert app.view.query_one(Digits).value != "--"
        assert "noisy" not in text(app)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_noise(language: str, snap_compare: Callable[..., bool]) -> None:
    link = WardLink(1, 28.0, config=settings(language=language), records=[spoilt(10, 40)])
    assert snap_compare(application(link), terminal_size=(120, 36), run_before=stepping(link, []))
