"""The producer's MQTT connections: the only module here that knows the client.

An MQTT connection has one last will. So up to `connection_per_bed_up_to` beds have a connection each, whose will says
that the bed is offline; beyond that many beds share one, whose will names them all on the producer's own status topic.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

import aiomqtt

from ecg.errors import UserError
from ecg.settings import Mqtt
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, ProducerStatus, encode_json, encode_wave
from ecg.wire.topics import Topics
from producer.sources.records import Bed

RETRY_SECONDS: Final = (0.5, 1, 2, 5)
IN_FLIGHT: Final = 64
"""QoS 1 messages of one connection that the broker has not confirmed yet, at most."""


class Connection:
    """One MQTT connection that carries some beds. It comes back by itself when the broker does.

    While it is down, messages are dropped and counted in `dropped`: a live signal waits for nobody.
    """

    def __init__(self, mqtt: Mqtt, broker: Broker, beds: list[Bed], speed: float | str, name: str) -> None:
        self._mqtt = mqtt
        self._broker = broker
        self._topics = Topics(mqtt.topic_root)
        self._name = name
        self._speed = speed
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._window = asyncio.Semaphore(IN_FLIGHT)
        self._pending: set[asyncio.Task[None]] = set()
        self.beds = beds
        self.problem = ""
        self.dropped = 0

    async def open(self) -> None:
        """Connect and announce the beds. Raises UserError where the broker refuses."""
        self._task = asyncio.create_task(self._stay_connected())
        ready = asyncio.create_task(self._up.wait())
        await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._up.is_set():
            ready.cancel()
            await self._task

    async def wave(self, bed: Bed, sent_ns: int, qos: int) -> None:
        """Send the bed's next chunk, and the annotations that belong to it."""
        wave, truth = bed.next(sent_ns)
        await self._publish(self._topics.of(bed.name, "wave"), encode_wave(wave), qos)
        if truth is not None:
            await self._publish(self._topics.of(bed.name, "truth"), encode_json(truth), 1)

    async def announce(self, bed: Bed, online: bool, final: bool = False) -> None:
        """Send the bed's retained status."""
        payload = encode_json(bed.status(online, self._speed, final))
        await self._publish(self._topics.of(bed.name, "status"), payload, 1, retain=True)

    async def close(self) -> None:
        """Say of every bed that it is offline and how much was published, then disconnect."""
        await self._drain()
        for bed in self.beds:
            await self.announce(bed, online=False, final=True)
        if len(self.beds) > 1:
            await self._announce_producer("offline")
        await self._drain()
        self._closing = True
        self._lost.set()
        if self._task:
            with suppress(UserError):
                await self._task

    async def _drain(self) -> None:
        """Wait until the broker has confirmed what is in flight."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=10)

    async def _publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> None:
        """QoS 0: handed to the socket when this returns. QoS 1: confirmed later, up to IN_FLIGHT at a time."""
        client = self._client
        if client is None:
            self.dropped += 1
            return
        if qos == 0:
            await self._send(client, topic, payload, 0, retain)
            return
        await self._window.acquire()
        task = asyncio.create_task(self._send(client, topic, payload, qos, retain))
        self._pending.add(task)
        task.add_done_callback(self._confirmed)

    def _confirmed(self, task: asyncio.Task[None]) -> None:
        self._pending.discard(task)
        self._window.release()

    async def _send(self, client: aiomqtt.Client, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        try:
            await client.publish(topic, payload, qos, retain, timeout=30)
        except aiomqtt.MqttError as error:
            self.dropped += 1
            if client is self._client:
                self._client = None
                self.problem = str(error)
                self._lost.set()

    def _will(self) -> aiomqtt.Will:
        """The last will of this connection: its bed, or all its beds, are offline."""
        if len(self.beds) == 1:
            bed = self.beds[0]
            payload = encode_json(bed.status(online=False, speed=self._speed))
            return aiomqtt.Will(self._topics.of(bed.name, "status"), payload, 1, True)
        status = ProducerStatus(SCHEMA, "offline", [bed.name for bed in self.beds])
        return aiomqtt.Will(self._topics.producer(self._name), encode_json(status), 1, True)

    async def _announce_producer(self, state: str) -> None:
        status = ProducerStatus(SCHEMA, "online" if state == "online" else "offline", [b.name for b in self.beds])
        await self._publish(self._topics.producer(self._name), encode_json(status), 1, retain=True)

    async def _stay_connected(self) -> None:
        attempt = 0
        while not self._closing:
            try:
                async with aiomqtt.Client(
                    self._broker.host,
                    self._broker.port,
                    username=self._mqtt.username or None,
                    password=self._mqtt.password or None,
                    identifier=self._name,
                    will=self._will(),
                    keepalive=10,
                    timeout=10,
                    socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
                ) as client:
                    client.pending_calls_threshold = 1 << 30
                    self._client, self.problem, attempt = client, "", 0
                    self._lost.clear()
                    if len(self.beds) > 1:
                        await self._announce_producer("online")
                    for bed in self.beds:
                        await self.announce(bed, online=True)
                    self._up.set()
                    await self._watch(client)
                    self._client = None
            except aiomqtt.MqttError as error:
                self._client = None
                self.problem = str(error)
                if not self._up.is_set():
                    raise UserError(
                        f"the broker {self._broker} refuses the connection: {error}; "
                        "check [mqtt] username and password in config.toml"
                    ) from None
                if not self._closing:
                    await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                    attempt += 1

    async def _watch(self, client: aiomqtt.Client) -> None:
        """Return when closing; raise MqttError when the connection breaks."""
        reading = asyncio.create_task(_read(client))
        waiting = asyncio.create_task(self._lost.wait())
        await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, waiting):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        if not self._closing:
            raise aiomqtt.MqttError(self.problem or "connection lost")


async def _read(client: aiomqtt.Client) -> None:
    """Nothing is subscribed to, but this is where a broken connection shows."""
    async for _message in client.messages:
        pass


def connections(
    mqtt: Mqtt, broker: Broker, beds: list[Bed], speed: float | str, run: str, alone: int, shared: int
) -> list[Connection]:
    """One connection per bed for up to `alone` beds, else one for every `shared` beds."""
    size = 1 if len(beds) <= alone else shared
    parts = [beds[at : at + size] for at in range(0, len(beds), size)]
    return [Connection(mqtt, broker, part, speed, f"producer-{run}-{number}") for number, part in enumerate(parts)]
