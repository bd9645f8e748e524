"""The teacher's panel: keys become intents, and only where the screen was started for a teacher."""

from __future__ import annotations

import pytest

from monitor.link.protocol import Teach
from monitor.screen.views.teach import COLUMNS, KEYS, TeachScreen
from monitor.service import teaching
from tests.support.driving import play, running, text
from tests.support.shown_ward import WardLink


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_key_of_the_panel_asks_for_a_rhythm_for_a_while(size: tuple[int, int]) -> None:
    link = WardLink(1, 10)
    async with running(link, size=size, teach=True) as (app, pilot):
        await pilot.press("i")
        await play(pilot, link, 0.5)
        assert isinstance(app.screen, TeachScreen)
        shown = text(app)
        assert all(name in shown for column in COLUMNS for _, _, name in column)
        assert "for good" in shown
        await pilot.press("7", "tab", "tab", "m", "space")
        await play(pilot, link, 0.5)
        assert link.intents[-3:] == [
            Teach("bed-1", "rhythm", "vt"),
            Teach("bed-1", "artefact", "muscle", 20.0),
            Teach("bed-1", "do", "pause"),
        ]
        assert "for 20 s" in text(app) and "asked the producer of bed-1 for: pause" in text(app)
        await pilot.press("escape")
        await play(pilot, link, 0.5)
        assert not isinstance(app.screen, TeachScreen)


async def test_without_a_teacher_there_is_no_panel() -> None:
    link = WardLink(1, 10)
    async with running(link) as (app, pilot):
        await pilot.press("i")
        await play(pilot, link, 0.5)
        assert not isinstance(app.screen, TeachScreen) and not any(isinstance(one, Teach) for one in link.intents)


def test_every_key_of_the_panel_is_a_command_that_a_producer_understands() -> None:
    for what, name in KEYS.values():
        command = teaching.command(Teach("b", what, name, 20.0))
        assert command is not None and command.do == (name if what == "do" else "set")
        assert command.seconds == (None if what == "do" else 20.0)


@pytest.mark.parametrize("name", ["drop", "script", "set", "", "x"])
def test_a_screen_may_give_no_other_commands(name: str) -> None:
    assert teaching.command(Teach("b", "do", name)) is None
