"""The service's end of the link: any number of screens, none of which can keep the service or another screen waiting.

A screen is written to only when it has read what was written before, so that at most one frame is kept for it; what it
missed meanwhile, its feed tells in the next. A screen that cannot be understood, or whose task fails, is told why, sent
away and counted.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import sys
import time
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from monitor.link.frames import MOST_INTENT, MOST_TOLD, FrameError, frame, intent, receive
from monitor.link.place import Held
from monitor.link.protocol import LINK, Farewell, Follow, Hello, Intent, ServiceStatus, Show, Snapshot, Study, Told

MOST_SCREENS: Final = 64
LEAST_RATE, MOST_RATE = 0.5, 60.0
"""Snapshots per second."""
BUILDING_SHARE: Final = 0.25
"""Share of the service's time that goes into telling screens at most, all of them together."""
INTENT_SECONDS: Final = 0.005
"""A screen is heard so often at most."""
SECRET_SECONDS: Final = 5.0
FAREWELL_SECONDS: Final = 1.0


class Feed(Protocol):
    """What one screen gets to see."""

    def show(self, intent: Show) -> None:
        """From now on these beds, each afresh."""

    def study(self, intent: Study) -> None:
        """From now on this bed is studied for this screen."""

    def follow(self, intent: Follow) -> None:
        """The course of this bed is kept from now on."""

    def build(self, status: ServiceStatus) -> Snapshot:
        """What is new since the last call."""

    @property
    def frames_per_second(self) -> float:
        """How often the screen wants a snapshot."""

    def close(self) -> None:
        """The screen is gone."""


class Host(Protocol):
    """What the service provides to its screens."""

    def open_feed(self) -> Feed:
        """A feed for one more screen."""

    def intent(self, intent: Intent) -> None:
        """Something a person wants of the ward."""

    def status(self) -> ServiceStatus:
        """The status line."""


class Screens:
    """The screens attached to one service. failed: screens sent away; problem: why the last of them was."""

    def __init__(self, host: Host, held: Held, version: str) -> None:
        self.failed = 0
        self.problem = ""
        self.changed = asyncio.Event()
        self._host, self._held, self._version = host, held, version
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def attached(self) -> int:
        """How many screens there are."""
        return len(self._writers)

    async def open(self) -> None:
        """Let screens come."""
        start = asyncio.start_server if self._held.place.tcp else asyncio.start_unix_server
        self._server = await start(self._come, sock=self._held.listening, limit=MOST_INTENT)

    async def close(self, why: str, status: int = 0) -> None:
        """Tell every screen why this is the end, and let them go."""
        if self._server:
            self._server.close()
        for writer in self._writers:
            _say(writer, Farewell(why, status))
        limit = time.monotonic() + FAREWELL_SECONDS
        while any(map(_behind, self._writers)) and time.monotonic() < limit:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        why = ""
        try:
            why = await self._welcome(reader, writer)
        except FrameError as error:
            why = f"this screen was not understood and is sent away: {error}"
        except asyncio.CancelledError:
            pass
        except Exception as error:
            why = f"telling this screen failed ({type(error).__name__}: {error})"
        finally:
            self._tasks.discard(task)
            if why:
                self.failed += 1
                self.problem = why
                print(why, file=sys.stderr)
                _say(writer, Farewell(why))
                await _drained(writer)
            self._writers.discard(writer)
            self.changed.set()
            writer.transport.abort()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """One screen from its coming to its leaving; why it is sent away, "" where it left. Raises FrameError."""
        secret = self._held.secret.encode()
        if secret:
            said = b""
            with suppress(TimeoutError, asyncio.IncompleteReadError):
                said = await asyncio.wait_for(reader.readexactly(len(secret)), SECRET_SECONDS)
            if not hmac.compare_digest(said, secret):
                return "who does not know the secret of this place is no screen"
        if len(self._writers) >= MOST_SCREENS:
            return f"{MOST_SCREENS} screens are attached already, which is as many as may be"
        self._writers.add(writer)
        self.changed.set()
        _say(writer, Hello(LINK, self._version, os.getpid()))
        feed = self._host.open_feed()
        telling = asyncio.create_task(self._tell(writer, feed))
        listening = asyncio.create_task(self._listen(reader, feed))
        try:
            done, _ = await asyncio.wait({telling, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return ""
        finally:
            for task in (telling, listening):
                task.cancel()
            await asyncio.gather(telling, listening, return_exceptions=True)
            feed.close()

    async def _listen(self, reader: asyncio.StreamReader, feed: Feed) -> None:
        while (payload := await receive(reader, MOST_INTENT)) is not None:
            asked = intent(payload)
            if isinstance(asked, Show):
                feed.show(asked)
            elif isinstance(asked, Study):
                feed.study(asked)
            elif isinstance(asked, Follow):
                feed.follow(asked)
            else:
                self._host.intent(asked)
            await asyncio.sleep(INTENT_SECONDS)

    async def _tell(self, writer: asyncio.StreamWriter, feed: Feed) -> None:
        rest = 0.0
        while not writer.transport.is_closing():
            await asyncio.sleep(max(1 / min(max(feed.frames_per_second, LEAST_RATE), MOST_RATE), rest))
            if _behind(writer):
                continue
            begin = time.monotonic()
            writer.write(self._next(feed))
            rest = (time.monotonic() - begin) * self.attached / BUILDING_SHARE

    def _next(self, feed: Feed) -> bytes:
        """What is new, as it goes over the link."""
        status = msgspec.structs.replace(self._host.status(), screens=self.attached, screens_failed=self.failed)
        made = frame(feed.build(status))
        if len(made) <= MOST_TOLD:
            return made
        problem = f"this screen is told nothing: a snapshot of {len(made) >> 20} MiB is too long"
        return frame(Snapshot(msgspec.structs.replace(status, problem=problem), [], [], []))


def _say(writer: asyncio.StreamWriter, message: Told) -> None:
    with suppress(OSError, RuntimeError):
        writer.write(frame(message))


def _behind(writer: asyncio.StreamWriter) -> bool:
    """Has this screen not read yet what was written before?."""
    return not writer.transport.is_closing() and writer.transport.get_write_buffer_size() > 0


async def _drained(writer: asyncio.StreamWriter) -> None:
    """Until a screen has read all, for a second at most."""
    limit = time.monotonic() + FAREWELL_SECONDS
    while _behind(writer) and time.monotonic() < limit:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
