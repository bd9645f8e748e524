"""The monitor's MQTT connection: the only module here that knows the client.

Messages are put into `Inbox` the moment they arrive; whoever processes them takes them out in bulk.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

import aiomqtt
from paho.mqtt.matcher import MQTTMatcher

from ecg.errors import UserError
from ecg.settings import Mqtt
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, MonitorStatus, encode_json
from ecg.wire.topics import Topics

RETRY_SECONDS: Final = (0.5, 1, 2, 5)
RECEIVE_BUFFER: Final = 4 << 20
MOST_BYTES: Final = 512 << 20
"""Bytes of messages not processed yet; beyond that the newest are dropped, and the ledger shows the gap."""
PUBLISHERS: Final = 16


class Arrival(NamedTuple):
    """One message as it came. received_ns: since the epoch."""

    topic: str
    payload: bytes
    retained: bool
    received_ns: int


class Inbox:
    """Messages that have arrived and are not processed yet. The connection's thread puts, the service takes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.wake = asyncio.Event()
        self.overflowed = 0
        self.received = 0
        self.last_s = time.monotonic()
        self.acknowledge: Callable[[], None] = lambda: None
        self._items: deque[Arrival] = deque()
        self._loop = loop
        self._woken = False
        self._bytes_in = 0
        self._bytes_out = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, message: aiomqtt.Message) -> None:
        """Keep a message, with the time at which it came (in the connection's thread)."""
        self.acknowledge()
        payload = message.payload if isinstance(message.payload, bytes) else b""
        if not message.retain:
            self.last_s = time.monotonic()
            self.received += 1
        if self._bytes_in - self._bytes_out > MOST_BYTES:
            self.overflowed += 1
            return
        self._bytes_in += len(payload)
        self._items.append(Arrival(message.topic.value, payload, bool(message.retain), time.time_ns()))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self.wake.set)

    def take(self, most: int, most_bytes: int = MOST_BYTES) -> list[Arrival]:
        """Up to `most` messages, oldest first; none after `most_bytes` of payload have been taken."""
        taken: list[Arrival] = []
        left = most_bytes
        while self._items and len(taken) < most and left > 0:
            taken.append(self._items.popleft())
            left -= len(taken[-1].payload)
        self._bytes_out += most_bytes - left
        return taken

    @property
    def waited_s(self) -> float:
        """For how long the oldest message has been waiting, s."""
        try:
            return (time.time_ns() - self._items[0].received_ns) / 1e9
        except IndexError:
            return 0.0

    def look(self) -> list[Arrival]:
        """All that is waiting, left where it is."""
        return list(self._items)

    async def wait(self, seconds: float) -> None:
        """Until there is a message, or for so long."""
        if not self._items:
            self._woken = False
            self.wake.clear()
            if not self._items:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), seconds)

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
    done: Callable[[], None] | None = None


class Connection:
    """Subscribes, receives into `inbox`, publishes, and comes back when the broker does.

    It lives in a thread with an event loop of its own: a broker drops what is not read in time, so reading must not
    wait for the signal path and the network.
    """

    def __init__(self, mqtt: Mqtt, broker: Broker, name: str, offline: MonitorStatus) -> None:
        self._mqtt, self._broker, self._name, self._offline = mqtt, broker, name, offline
        self.topics = Topics(mqtt.topic_root)
        self.inbox = Inbox(asyncio.get_running_loop())
        self.connected = False
        self.problem = ""
        self.reconnects = 0
        self.published = 0
        self.queued = 0
        self._out: deque[Outgoing] = deque()
        self._loop = asyncio.new_event_loop()
        self._ready = asyncio.Event()
        self._more = asyncio.Event()
        self._stay: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="mqtt", daemon=True)

    async def open(self) -> None:
        """Connect and subscribe. Raises UserError where the broker refuses."""
        self._thread.start()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._open(), self._loop))

    async def _open(self) -> None:
        self._stay = asyncio.create_task(self._stay_connected())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, self._stay}, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.is_set():
            ready.cancel()
            await self._stay

    def publish(self, items: list[Outgoing]) -> None:
        """Publish at QoS 1, in this order as far as the broker keeps it."""
        if items:
            self.queued += len(items)
            self._out.extend(items)
            self._loop.call_soon_threadsafe(self._more.set)

    async def flush(self, seconds: float = 10.0) -> None:
        """Wait until everything has been published, for so long at most while the broker is there."""
        limit = time.monotonic() + seconds
        while self.published < self.queued and self.connected and time.monotonic() < limit:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Publish what is left, then disconnect."""
        await self.flush()
        if self._thread.is_alive():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._close(), self._loop))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    async def _close(self) -> None:
        if self._stay:
            self._stay.cancel()
            await asyncio.gather(self._stay, return_exceptions=True)

    async def _stay_connected(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._client() as client:
                    self.inbox.acknowledge = _acknowledger(client)
                    client._client._on_message_filtered = _NoFilters()  # type: ignore[no-untyped-call]
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
                self.connected = False
                self.problem = f"broker {self._broker.host}:{self._broker.port} does not answer, trying again"
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
            socket_options=[
                (socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER),
                (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            ],
        )
        client.pending_calls_threshold = 1 << 30
        return client

    async def _publisher(self, client: aiomqtt.Client) -> None:
        """Publish one message after the other; one that the connection broke under is tried again on the next."""
        while True:
            if not self._out:
                self._more.clear()
                await self._more.wait()
                continue
            item = self._out.popleft()
            try:
                await client.publish(item.topic, item.payload, 1, item.retain, timeout=30)
            except (aiomqtt.MqttError, asyncio.CancelledError):
                self._out.appendleft(item)
                raise
            self.inbox.acknowledge()
            self.published += 1
            if item.done:
                item.done()


class _NoFilters(MQTTMatcher):
    """No callback waits for messages of certain topics; looking for one leaves a reference cycle with every message."""

    def iter_match(self, topic: str) -> Iterator[object]:  # noqa: ARG002
        """None."""
        return iter(())


def _acknowledger(client: aiomqtt.Client) -> Callable[[], None]:
    """What makes the kernel acknowledge at once what it has received; nothing where it cannot be told to.

    Left alone it waits up to 40 ms, and a broker that uses Nagle's algorithm, as Mosquitto does unless told otherwise,
    keeps the next message back for as long.
    """
    quick: int | None = getattr(socket, "TCP_QUICKACK", None)
    connected = client._client.socket()
    if quick is None or not isinstance(connected, socket.socket):
        return lambda: None

    def acknowledge() -> None:
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, quick, 1)

    return acknowledge


def status(state: str, version: str, device: str) -> MonitorStatus:
    """A status without figures, for a last will."""
    return MonitorStatus(
        v=SCHEMA,
        state="online" if state == "online" else "offline",
        version=version,
        device=device,
        beds=0,
        beats_per_s=0.0,
        latency_p50_ms=None,
        latency_p99_ms=None,
        dropped=0,
    )
