"""The monitor's MQTT connection: a session in a thread of its own.

Messages are put into `inbox` the moment they arrive; whoever processes them takes them out in bulk.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.outbox import Outgoing
from ecg.wire.packets import Arrival
from ecg.wire.session import Session
from ecg.wire.topics import Kind, Topics
from monitor.service import runtime
from monitor.service.inbox import Inbox
from monitor.service.listening import Listening

__all__ = ["Arrival", "Connection", "Outgoing"]

HEARD: Final[tuple[Kind, ...]] = ("wave", "truth", "status", "limits", "command", "ack")
"""Kinds of bed topics that a monitor reads."""


class Connection:
    """Subscribes, receives into `inbox`, publishes, and comes back when the broker does.

    It lives in a thread with an event loop of its own: a broker drops what is not read in time, so reading must not
    wait for the signal path and the network. Where little comes, whoever publishes reads too (`listening`), and this
    thread only where he is late. Its last will is an empty retained message: a monitor that has ended
    leaves no status behind. At a new connection the newest retained messages are published again: a broker that was
    started anew may have kept none.

    told: gets the marks of messages that the broker has. known: see `Inbox`. at_once: does who publishes send in
    his own thread, and ask `listening` to `confirm` then?
    """

    def __init__(
        self,
        mqtt: MqttSettings,
        broker: Broker,
        name: str,
        told: Callable[[list[int]], None] | None = None,
        known: Callable[[str], bool] = lambda _name: True,
    ) -> None:
        self.topics = topics = Topics(mqtt.topic_root)
        self.inbox = Inbox(asyncio.get_running_loop(), topics, known)
        self._gone = Outgoing(topics.monitor(name), b"", True)
        self._kept: dict[str, Outgoing] = {}
        self._rests_until_s = 0.0
        self._session = Session(
            mqtt,
            broker,
            f"monitor-{name}",
            lambda: self._gone,
            births=self._births,
            filters=(*map(topics.every, HEARD), topics.every_producer()),
            received=self.inbox.put,
            lots=self.inbox.put_lot,
            told=told,
            rests_until=lambda: self._rests_until_s,
        )
        self.listening = Listening(self._session)
        self.at_once = False
        self._given: deque[list[Outgoing]] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def _run(self) -> None:
        runtime.name_thread("mqtt")
        self._loop.run_forever()

    @property
    def connected(self) -> bool:
        """Is there a connection now?."""
        return self._session.connected

    @property
    def reconnects(self) -> int:
        """Connections lost so far."""
        return self._session.reconnects

    @property
    def published(self) -> int:
        """Messages that the broker has."""
        return self._session.outbox.confirmed

    @property
    def unsent(self) -> int:
        """Messages that the broker has not confirmed yet."""
        return len(self._session.outbox)

    @property
    def dropped(self) -> int:
        """Messages that were not published, because the broker was away for too long."""
        return self._session.outbox.dropped

    @property
    def problem(self) -> str:
        """What is wrong, "" for nothing."""
        unsent = f"{self.dropped} messages not published" if self.dropped else ""
        return "; ".join(part for part in (self._session.problem, unsent) if part)

    async def open(self) -> None:
        """Connect and subscribe. Raises UserError where the broker refuses."""
        self._thread.start()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._session.open(), self._loop))

    def rest(self, until_s: float) -> None:
        """Nobody needs what comes before that time, monotonic clock: the socket need not be looked at so often."""
        self._rests_until_s = until_s

    def publish(self, items: list[Outgoing]) -> None:
        """Publish at QoS 1, in this order."""
        if items:
            self._given.append(items)
            if self.at_once:
                self._publish()
            elif len(self._given) == 1:
                self._loop.call_soon_threadsafe(self._publish)

    def _publish(self) -> None:
        """Publish what was given; what the broker keeps is remembered, for one that forgets."""
        try:
            with self._session.lock:
                while self._given:
                    items = self._given.popleft()
                    for item in items:
                        if item.retain and item.payload:
                            self._kept[item.topic] = item._replace(mark=0)
                        elif item.retain:
                            self._kept.pop(item.topic, None)
                    self._session.publish(items)
        finally:
            if self._given:  # some of them could not be sent as MQTT
                self._loop.call_soon_threadsafe(self._publish)

    def _births(self) -> list[Outgoing]:
        """What the broker is to keep, but for what waits to be published."""
        waiting = self._session.outbox.retained()
        return [item for topic, item in self._kept.items() if topic not in waiting]

    def every(self, seconds: float, make: Callable[[], list[Outgoing]]) -> None:
        """Publish what `make` gives every so many seconds while connected; it is called in the connection's thread."""
        asyncio.run_coroutine_threadsafe(self._repeat(seconds, make), self._loop)

    async def _repeat(self, seconds: float, make: Callable[[], list[Outgoing]]) -> None:
        while not self.inbox.closed:
            await asyncio.sleep(seconds)
            if self._session.connected and (items := make()):
                self._given.append(items)
                self._publish()

    def deafen(self) -> None:
        """Take no message any more, and ask the broker for none: reading them would slow the end down."""
        self.inbox.closed = True
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._session.deafen)

    async def flush(self, seconds: float = 10.0) -> None:
        """Wait until everything has been published, for so long at most while the broker is there."""
        if self._thread.is_alive():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._session.flush(seconds), self._loop))

    async def close(self, seconds: float = 10.0) -> None:
        """Publish what is left, remove the monitor's status from the broker, then disconnect, each within `seconds`."""
        if self._thread.is_alive():
            if self.connected:
                self.publish([self._gone])
            await self.flush(seconds)
            closing = asyncio.run_coroutine_threadsafe(self._session.close(), self._loop)
            with suppress(TimeoutError):  # a broker that does not answer is left without a goodbye
                await asyncio.wait_for(asyncio.wrap_future(closing), seconds)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(min(seconds, 5))
