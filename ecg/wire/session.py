"""The one MQTT session that both programs use: it stays, while connections come and go.

Login, last will, subscriptions and encryption are the same at every connection. What is published goes out in order,
whatever happens to the connection in between (`ecg.wire.outbox`).
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire.broker import Broker, address
from ecg.wire.client import KEEPALIVE_SECONDS, Line
from ecg.wire.flow import Flow, Lots, Received
from ecg.wire.outbox import MOST_WAITING, Outbox, Outgoing
from ecg.wire.packets import Arrival
from ecg.wire.refusals import behaves, refusal
from ecg.wire.tls import encryption
from ecg.wire.writing import LineError

FIRST_RETRY_SECONDS: Final = 0.5
LAST_RETRY_SECONDS: Final = 8.0
SOON_SECONDS: Final = 1.0
"""In the first minute no pause is longer: who publishes waits for those who listen to be back."""
SOON_ATTEMPTS: Final = 60
SILENT_SECONDS: Final = 1.2 * KEEPALIVE_SECONDS
"""A broker that was not heard for so long, in spite of being asked, was lost when it was last heard."""
CONFIRM_SECONDS: Final = 30.0
"""A broker that confirms nothing of what is in flight for so long is taken for lost."""


Arrived = Callable[[str, bytes, bool], None]
"""Called with topic, payload, and whether the message was retained, in the session's event loop."""

_log = logging.getLogger(__name__)


def retry_seconds(attempt: int) -> float:
    """How long to wait before that attempt (0: the first) to come back: doubling to 1 s, after a minute to 8 s.

    By chance it is up to half as long.

    Clients that lost one broker together then do not all come back in the same moment.
    """
    late = max(attempt - SOON_ATTEMPTS, 0)
    whole = min(FIRST_RETRY_SECONDS * 2.0 ** min(attempt, 30), SOON_SECONDS * 2.0 ** min(late, 30), LAST_RETRY_SECONDS)
    return whole * random.uniform(0.5, 1.0)


class Session:
    """Connects, subscribes, receives, publishes in order, and comes back when the broker does. Of one event loop.

    Another thread may `publish`, and use `flow`, holding `lock`; `received` and `told` are then called in it.

    will: asked for the last will at every connection, None for none. births: asked for what is to be published once a
    connection stands. arrived: gets every message of `filters`; received: the same, many at a time. told: gets
    the marks of messages that the broker has. rests_until, lots: see `Line`.
    connected: is there a connection now? problem: why not, "" where there is. reconnects: attempts that
    ended. since_s, lost_s: when the last connection came, and when it went as far as is known, monotonic clock.
    """

    def __init__(
        self,
        mqtt: MqttSettings,
        broker: Broker,
        identifier: str,
        will: Callable[[], Outgoing | None],
        *,
        births: Callable[[], list[Outgoing]] = list,
        filters: Sequence[str] = (),
        arrived: Arrived | None = None,
        received: Received | None = None,
        told: Callable[[list[int]], None] | None = None,
        most: int = MOST_WAITING,
        rests_until: Callable[[], float] = lambda: 0.0,
        lots: Lots | None = None,
    ) -> None:
        self._mqtt, self._broker, self._identifier = mqtt, broker, identifier
        self._will, self._births, self._filters, self._told = will, births, filters, told
        self._rests_until, self._lots = rests_until, lots
        self._received = received or (one_by_one(arrived) if arrived else None)
        self._at = f"broker {address(broker.host, broker.port)}"
        self.outbox = Outbox(most)
        self.connected = False
        self.problem = ""
        self.reconnects = 0
        self._tls: ssl.SSLContext | None = None
        self.lock = threading.RLock()
        self._line: Line | None = None
        self._patient = 0
        self._handed: list[asyncio.Future[bool]] = []
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        self.since_s = self.lost_s = 0.0
        self._confirmed_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and subscribe. Raises UserError where the broker refuses or the settings do not fit."""
        self._tls = encryption(self._mqtt)
        self._task = asyncio.create_task(self._stay_connected())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.is_set():
            ready.cancel()
            await self._task

    @property
    def heard_s(self) -> float:
        """When the broker was last heard, monotonic clock."""
        return self._line.flow.heard_s if self._line is not None else self.lost_s

    @property
    def flow(self) -> Flow | None:
        """What reads and writes; None without a connection."""
        line = self._line
        return line.flow if line is not None else None

    def publish(self, items: list[Outgoing]) -> None:
        """Publish at QoS 1, in this order; while there is no connection they wait in the outbox."""
        with self.lock:
            self.outbox.put(items)
            self._pump()

    async def hand(self, items: Sequence[Outgoing]) -> bool:
        """Hand QoS 0 messages to the socket, waiting while that is full. False where the connection is gone.

        Where it goes meanwhile, some of them may be with the broker.
        """
        if self._line is None:
            return False
        try:
            self._line.flow.publish(items, 0)
            if self._line.flow.flush():
                return True
        except LineError:
            return False
        handed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._handed.append(handed)
        return await handed

    def deafen(self) -> None:
        """Ask for no more messages, now and at later connections."""
        filters, self._filters = self._filters, ()
        if self._line is not None and filters:
            self._line.unsubscribe(filters)

    async def room(self, most: int, seconds: float = CONFIRM_SECONDS) -> None:
        """Wait until fewer than `most` messages are unconfirmed; not without a connection, nor longer than that."""
        if len(self.outbox) >= most:
            self._patient += 1
            if self._line is not None:
                self._line.flow.look_again()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while self.connected and len(self.outbox) >= most:
                        self._changed.clear()
                        await self._changed.wait()
            self._patient -= 1

    async def flush(self, seconds: float = 10.0) -> None:
        """Wait until the broker has everything, for so long at most and while there is a connection."""
        await self.room(1, seconds)

    async def close(self) -> None:
        """Disconnect in good order: the broker keeps the last will to itself."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.outbox.clear()

    async def _stay_connected(self) -> None:
        attempt = 0
        while True:
            try:
                line = Line(
                    self._mqtt,
                    self._broker,
                    self._identifier,
                    self._will(),
                    self._tls,
                    self._received,
                    self._confirmed,
                    lambda: self._release(True),
                    self._rests_until,
                    self.lock,
                    self._lots,
                )
                async with line:
                    if self._filters:
                        await line.subscribe(self._filters)
                    attempt = 0
                    self._begin(line)
                    await self._watch(line)
            except LineError as error:
                if not self._ready.is_set():
                    raise UserError(refusal(self._broker, self._mqtt.tls, error)) from None
                self.problem = f"{self._at} {behaves(error)}, trying again"
            except Exception as error:  # whatever breaks under a connection, the session goes on, and says so
                if not self._ready.is_set():
                    raise
                self.problem = f"the connection to {self._at} broke, trying again ({type(error).__name__}: {error})"
            finally:
                self._lose()
            self.reconnects += 1
            _log.warning("connection lost: %s", self.problem)
            await asyncio.sleep(retry_seconds(attempt))
            attempt += 1

    def _begin(self, line: Line) -> None:
        """The connection stands."""
        with self.lock:
            self._line, self.connected, self.problem = line, True, ""
            self.since_s = time.monotonic()
            self._confirmed_s = time.monotonic()
            if self._ready.is_set():
                _log.warning("connected to %s again", self._at)
            self._ready.set()
            self.publish(self._births())

    def _lose(self) -> None:
        """The connection is gone: what is in flight waits again, what is handed over is lost."""
        with self.lock:
            if self.connected and self._line is not None:
                now_s, heard_s = time.monotonic(), self._line.flow.heard_s
                self.lost_s = heard_s if now_s - heard_s > SILENT_SECONDS else now_s
            self._line, self.connected = None, False
            self.outbox.lost()
        self._release(False)
        self._changed.set()

    def _release(self, sent: bool) -> None:
        """Who waits for the socket to take what was handed over need not wait any more."""
        for handed in self._handed:
            if not handed.done():
                handed.set_result(sent)
        self._handed.clear()

    async def _watch(self, line: Line) -> None:
        """Return never; raise LineError when the connection is gone, or good for nothing."""
        ended = asyncio.create_task(line.end())
        try:
            while True:
                await asyncio.wait({ended}, timeout=CONFIRM_SECONDS / 3)
                if ended.done():
                    await ended
                if self.outbox.in_flight and time.monotonic() - self._confirmed_s > CONFIRM_SECONDS:
                    raise LineError("it confirms nothing")
        finally:
            ended.cancel()

    def _pump(self) -> None:
        """Send what waits, as far as the window allows."""
        if self._line is None or not (items := self.outbox.take()):
            return
        if not self.outbox.in_flight:
            self._confirmed_s = time.monotonic()
        try:
            numbers = self._line.flow.publish(items, 1)
        except LineError:  # the connection's end will be noticed by who watches it
            self.outbox.not_sent(items)
            return
        self.outbox.sent(numbers, items)

    def _confirmed(self, numbers: list[int]) -> None:
        """The broker has these messages."""
        items = self.outbox.confirm(numbers)
        if items:
            self._confirmed_s = time.monotonic()
            if self._patient and self._line is not None:
                self._line.flow.here(self._changed.set)
            if self._told and (marks := [item.mark for item in items if item.mark]):
                self._told(marks)
            self._pump()


def one_by_one(arrived: Arrived) -> Received:
    """What hands messages on singly."""

    def received(arrivals: list[Arrival]) -> None:
        for one in arrivals:
            arrived(one.topic, one.payload, one.retained)

    return received
