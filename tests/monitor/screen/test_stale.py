"""A screen whose service tells nothing says so in large letters, and only for as long as that is so."""

from __future__ import annotations

from monitor.link.contract import LinkClosed
from monitor.link.protocol import Snapshot
from monitor.screen.app import MonitorApp
from monitor.screen.views.stale import StaleScreen
from tests.support.driving import play, running, text
from tests.support.shown_ward import WardLink


class HaltedLink(WardLink):
    """A link to a service that can be stopped."""

    halted = False

    def snapshot(self) -> Snapshot | None:
        return None if self.halted else super().snapshot()


async def test_data_older_than_two_seconds_is_called_old_in_large_letters() -> None:
    link = HaltedLink()
    async with running(link) as (app, pilot):
        assert "██    ██" not in text(app)
        link.halted = True
        await play(pilot, link, 1.5)
        assert not isinstance(app.screen, StaleScreen)
        await play(pilot, link, 2.0)
        shown = text(app)
        assert "told nothing for 4 s" in shown or "told nothing for 3 s" in shown
        assert sum("██    ██" in line for line in shown.splitlines()) >= 3
        link.halted = False
        await play(pilot, link, 0.5)
        assert not isinstance(app.screen, StaleScreen)
        assert "told nothing" not in text(app) and "██    ██" not in text(app)


async def test_a_stale_screen_can_be_left() -> None:
    link = HaltedLink()
    async with running(link) as (app, pilot):
        link.halted = True
        await play(pilot, link, 4.0)
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running or app.return_code == 0


async def test_a_service_that_says_farewell_gives_the_screen_its_words_and_its_exit_status() -> None:
    class Refused(WardLink):
        def snapshot(self) -> Snapshot | None:
            raise LinkClosed("another monitor reads this broker", 3)

    link = Refused()
    app = MonitorApp(link, link.config, clock=link.clock)
    async with app.run_test() as pilot:
        await pilot.pause()
        app.frame()
        await pilot.pause()
    assert app.return_code == 3
    assert "another monitor reads this broker" in app.problem
