"""The monitor's MQTT connection: the only module here that knows the client.

Messages are put into `Inbox` the moment they arrive; whoever processes them takes them out in bulk.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

import aiomqtt

from ecg.broker import Broker
from ecg.config import Mqtt
from ecg.errors import UserError
from ecg.messages import SCHEMA, MonitorStatus, Topics, encode_json

RETRY_SECONDS: Final = (0.5, 1, 2, 5)
RECEIVE_BUFFER: Final = 4 << 20
MOST_BYTES: Final = 512 << 20
"""Bytes of messages not processed yet; beyond that the newest are dropped, and the ledger shows the gap."""
PUBLISHERS: Final = 16
FILL_TURNS: Final = 1000


class Arrival(NamedTuple):
    """One message as it came. received_ns: since the epoch."""

    topic: str
    payload: bytes
    retained: bool
    received_ns: int


class Inbox:
    """Messages that have arrived and are not processed yet. wake: set when there is something."""

    def __init__(self) -> None:
        self.items: deque[Arrival] = deque()
        self.size = 0
        self.overflowed = 0
        self.received = 0
        self.last_s = time.monotonic()
        self.wake = asyncio.Event()

    def put(self, message: aiomqtt.Message) -> None:
        """Keep a message, with the time at which it came."""
        payload = message.payload if isinstance(message.payload, bytes) else b""
        if not message.retain:
            self.last_s = time.monotonic()
            self.received += 1
        if self.size > MOST_BYTES:
            self.overflowed += 1
            return
        self.size += len(payload)
        self.items.append(Arrival(message.topic.value, payload, bool(message.retain), time.time_ns()))
        self.wake.set()

    def take(self, most: int, most_bytes: int = MOST_BYTES) -> list[Arrival]:
        """Up to `most` messages, oldest first; none after `most_bytes` of payload have been taken."""
        taken: list[Arrival] = []
        left = most_bytes
        while self.items and len(taken) < most and left > 0:
            taken.append(self.items.popleft())
            left -= len(taken[-1].payload)
        self.size -= most_bytes - left
        if not self.items:
            self.wake.clear()
        return taken

    async def fill(self) -> None:
        """Let the connection read what has come in meanwhile: a broker drops what is not read in time."""
        for _ in range(FILL_TURNS):
            before = self.received
            await asyncio.sleep(0)
            if self.received == before:
                return

    def queue_type(self) -> type[asyncio.Queue[aiomqtt.Message]]:
        """A queue class for the client that hands everything to this inbox and stays empty itself."""
        put = self.put

        class Handover(asyncio.Queue[aiomqtt.Message]):
            def put_nowait(self, item: aiomqtt.Message) -> None:
                put(item)

        return Handover


class Outgoing(NamedTuple):
    """A message to publish. done: called once it is on its way."""

    topic: str
    payload: bytes
    retain: bool
    done: Callable[[], None] | None


class Connection:
    """Subscribes, receives into `inbox`, publishes what `publish` is given, and comes back when the broker does."""

    def __init__(self, mqtt: Mqtt, broker: Broker, name: str, offline: MonitorStatus) -> None:
        self._mqtt, self._broker, self._name, self._offline = mqtt, broker, name, offline
        self.topics = Topics(mqtt.topic_root)
        self.inbox = Inbox()
        self.connected = False
        self.problem = ""
        self.reconnects = 0
        self._ready = asyncio.Event()
        self._out: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._tasks: list[asyncio.Task[Any]] = []

    async def open(self) -> None:
        """Connect and subscribe. Raises UserError where the broker refuses."""
        staying = asyncio.create_task(self._stay_connected())
        self._tasks.append(staying)
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, staying}, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.is_set():
            ready.cancel()
            await staying

    def publish(self, topic: str, payload: bytes, retain: bool = False, done: Callable[[], None] | None = None) -> None:
        """Publish at QoS 1, in order of the calls as far as the broker keeps it."""
        self._out.put_nowait(Outgoing(topic, payload, retain, done))

    @property
    def backlog(self) -> int:
        """Messages waiting to be published."""
        return self._out.qsize()

    async def flush(self, seconds: float = 10.0) -> None:
        """Wait until everything has been published, for so long at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._out.join(), seconds)

    async def close(self) -> None:
        """Publish what is left, then disconnect."""
        if self.connected:
            await self.flush()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stay_connected(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._client() as client:
                    await client.subscribe(self.topics.every("wave"), 1)
                    await client.subscribe([(self.topics.every("truth"), 1), (self.topics.every("status"), 1)])
                    await client.subscribe(f"{self.topics.root}/_producer/+/status", 1)
                    self.connected, self.problem, attempt = True, "", 0
                    self._ready.set()
                    publishers = [asyncio.create_task(self._publisher(client)) for _ in range(PUBLISHERS)]
                    try:
                        async for _message in client.messages:  # they all go to the inbox; a break raises here
                            pass
                    finally:
                        for task in publishers:
                            task.cancel()
                        await asyncio.gather(*publishers, return_exceptions=True)
            except aiomqtt.MqttError as error:
                self.connected, self.problem = False, str(error)
                if not self._ready.is_set():
                    raise UserError(
                        f"the broker {self._broker} refuses the connection: {error}; "
                        "check [mqtt] username and password in config.toml"
                    ) from None
                self.reconnects += 1
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1

    def _client(self) -> aiomqtt.Client:
        will = aiomqtt.Will(self.topics.monitor(self._name), encode_json(self._offline), 1, True)
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._mqtt.username or None,
            password=self._mqtt.password or None,
            identifier=f"monitor-{self._name}",
            queue_type=self.inbox.queue_type(),
            will=will,
            keepalive=10,
            timeout=10,
            socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)],
        )
        client.pending_calls_threshold = 1 << 30
        return client

    async def _publisher(self, client: aiomqtt.Client) -> None:
        """Publish one message after the other; one that the connection broke under is tried again on the next."""
        while True:
            item = await self._out.get()
            try:
                await client.publish(item.topic, item.payload, 1, item.retain, timeout=30)
            except (aiomqtt.MqttError, asyncio.CancelledError):
                self._out.put_nowait(item)
                self._out.task_done()
                raise
            self._out.task_done()
            if item.done:
                item.done()


async def every(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        await action()


def status(state: str, version: str, device: str) -> MonitorStatus:
    """A status without figures, for a last will."""
    return MonitorStatus(SCHEMA, "online" if state == "online" else "offline", version, device, 0, 0.0, None, None, 0)
