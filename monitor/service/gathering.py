"""The time between two steps of the main loop, in which messages gather: in the connection's thread, or here."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from monitor.service.connection import Connection
from monitor.service.pace import AHEAD_SECONDS, Pace

IDLE_TICK_SECONDS: Final = 0.25
LATE_SECONDS: Final = 0.25
"""So long after a step is due the connection's thread reads what this loop has not."""
CONFIRM_SECONDS: Final = 0.004
"""The first look for confirmations that take longer; each next one is twice as late."""


class Gathering:
    """Lets messages gather. deadline_s: what a beat may wait and be worked on."""

    def __init__(self, connection: Connection, deadline_s: float) -> None:
        self._connection, self._listening = connection, connection.listening
        self._pace = Pace(deadline_s)

    async def messages(self) -> None:
        """Let the time until the next step pass; where nothing has come by then, wait for the first message.

        In this order the connection need not wake this loop for every message, and is asked to only when it is quiet.
        """
        connection, inbox = self._connection, self._connection.inbox
        if not self._listening.can:
            self.skip()
            await asyncio.sleep(self._pause_s(-AHEAD_SECONDS))
        else:
            connection.at_once = True
            await self._look_in(self._pause_s(LATE_SECONDS))
            if not inbox and await self._listening.wait(IDLE_TICK_SECONDS):
                if inbox:
                    await self._look_in(self._pause_s(LATE_SECONDS))
                return
        if not inbox:
            await inbox.wait(IDLE_TICK_SECONDS)
            if inbox:
                await asyncio.sleep(self._pause_s(-AHEAD_SECONDS))

    def _pause_s(self, late_s: float) -> float:
        """How long it is to the next step. late_s: so much later somebody else is to see to what has come."""
        now_s = time.monotonic()
        pause_s = self._pace.pause_s(now_s)
        self._connection.rest(now_s + pause_s + late_s)
        return pause_s

    async def _look_in(self, pause_s: float) -> None:
        """Read what has come by the end of a pause: and before it confirmations, and for what a broker elsewhere still
        keeps back.
        """
        until_s, between_s = time.monotonic() + pause_s, CONFIRM_SECONDS
        ahead_s = min(0.0 if self._listening.near else AHEAD_SECONDS, pause_s)
        while self._listening.in_flight and time.monotonic() + between_s < until_s - ahead_s:
            await asyncio.sleep(between_s)
            self._listening.look()
            between_s *= 2
        await asyncio.sleep(until_s - ahead_s - time.monotonic())
        self._listening.look()
        if ahead_s:
            await asyncio.sleep(ahead_s)
            self._listening.look()

    def stepped(self, began_s: float) -> None:
        """A step that began then has been taken, monotonic clock: what it sent is to be confirmed."""
        self._pace.stepped(began_s, time.monotonic())
        if self._connection.at_once:
            self._listening.confirm()

    def skip(self) -> None:
        """Nothing is read here: much comes, or this loop is behind, or ends."""
        if self._connection.at_once:
            self._connection.at_once = False
            self._connection.rest(0.0)
            self._listening.leave()
