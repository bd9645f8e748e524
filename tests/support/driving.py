"""The application over a ward in this process, driven frame by frame under a clock that tests turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from textual.pilot import Pilot

from ecg.settings import Config
from monitor.screen.app import MonitorApp
from tests.support.shown_ward import WardLink

FRAME_SECONDS = 0.25


def settings(**screen: Any) -> Config:
    """The defaults with other values of [screen]."""
    config = Config()
    return msgspec.structs.replace(config, screen=msgspec.structs.replace(config.screen, **screen))


class Driven(MonitorApp):
    """The application without frames of its own: tests draw them."""

    def begin(self) -> None:
        """Wait for the test."""


def application(link: WardLink, **options: Any) -> MonitorApp:
    """The application on a link, under its clock."""
    return Driven(link, link.config, clock=link.clock, **options)


async def play(pilot: Pilot[Any], link: WardLink, seconds: float) -> None:
    """Let so many seconds pass, frame by frame."""
    app = pilot.app
    assert isinstance(app, MonitorApp)
    for _ in range(round(seconds / FRAME_SECONDS)):
        link.clock.now += FRAME_SECONDS
        app.frame()
    await pilot.pause()
    app.frame()
    await pilot.pause()


@asynccontextmanager
async def running(
    link: WardLink, size: tuple[int, int] = (120, 36), **options: Any
) -> AsyncIterator[tuple[MonitorApp, Pilot[Any]]]:
    """The application running, some frames after its start."""
    app = application(link, **options)
    async with app.run_test(size=size) as pilot:
        await play(pilot, link, 1.0)
        yield app, pilot


def text(app: MonitorApp) -> str:
    """All that stands on the screen, line by line."""
    width, height = app.size
    rows = app.screen._compositor.render_strips()
    return "\n".join(row.text[:width] for row in rows[:height])
