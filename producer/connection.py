"""The producer's MQTT connections: the beds of each, its last will, and the beds' statuses.

An MQTT connection has one last will. So up to `connection_per_bed_up_to` beds have a connection each, whose will sets
the bed offline; beyond that number many beds share a connection, whose will names them all on the producer's own
status topic.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final, Literal

from msgspec.structs import replace

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, MessageError, ProducerStatus, decode_wave, encode_json, encode_wave
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from ecg.wire.topics import Topics
from producer.faults import Faults
from producer.kept import Item, Kept
from producer.sources.base import Bed

KEEP_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 1.2
"""After a new connection, until what was kept is sent: so long those who listen may take to come back (a little more
than the longest pause between their attempts in the first minute)."""
LATE_SECONDS: Final = 0.5
"""A wave that is sent so long after it was made is late."""
WAIT_SECONDS: Final = 0.05
UNCONFIRMED: Final = 64
"""So many unconfirmed QoS 1 messages of one connection, and the next ones wait."""


class Connection:
    """One MQTT connection that carries some beds. It reconnects by itself.

    While it is down, messages are kept, up to `keep_seconds` of signal a bed, and sent late; those beyond are counted
    in `dropped`: a live signal waits for nobody. A bed that is sent as fast as it can be waits for the broker.
    """

    def __init__(
        self,
        mqtt: MqttSettings,
        broker: Broker,
        beds: Sequence[Bed],
        speed: float | str,
        name: str,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        self._topics = Topics(mqtt.topic_root)
        self._name = name
        self._speeds = {bed.name: speed for bed in beds}
        self._session = Session(mqtt, broker, name, self._will, births=self._births)
        self._closing = False
        self._kept = Kept(keep_seconds * len(beds))
        self._losses = 0
        self._streams: dict[str, str] = {}
        self.beds = list(beds)

    @property
    def problem(self) -> str:
        """The reason for a missing connection; "" while connected."""
        return self._session.problem

    @property
    def dropped(self) -> int:
        """Messages that were not sent."""
        return self._kept.dropped + self._session.outbox.dropped

    async def open(self) -> None:
        """Connect and announce the beds. Raises UserError where the broker refuses."""
        await self._session.open()

    async def waves(self, due: Sequence[tuple[Bed, Faults]], sent_ns: int, qos: int) -> None:
        """Send the next chunk of each of these beds, and the annotations that belong to it; before a new lap, a status.

        All of it goes to the socket in one piece: first what belongs to streams that end, then the waves, then the
        annotations. QoS 0: handed to the socket when this returns. QoS 1: confirmed later, in order. faults: of the
        transport. A bed stands among `due` once.
        """
        ending: list[Item] = []
        signal: list[Item] = []
        notes: list[Item] = []
        for bed, faults in due:
            before = self._streams.get(bed.name)
            wave, truth = bed.next(sent_ns)
            stream = bed.stream
            if before != stream:
                if before is not None:
                    # A stream that was not announced must prove itself before a monitor takes it for the bed's.
                    ending += self._waves(bed, faults.flush(), qos)
                    ending.append(Item(self._status(bed, online=True), 1))
                self._streams[bed.name] = stream
            if wave is not None:
                seconds = len(wave.samples) / (2 * len(wave.leads) * wave.rate)
                payloads = [encode_wave(wave)] if faults.idle else faults.through(wave)
                signal += self._waves(bed, payloads, qos, seconds)
            if truth is not None and not faults.frozen:
                notes.append(Item(Outgoing(self._topics.of(bed.name, "truth"), encode_json(truth), False), 1))
        await self._send(ending + signal + notes)

    def _waves(self, bed: Bed, payloads: list[bytes], qos: int, seconds: float = 0.0) -> list[Item]:
        topic, now_s = self._topics.of(bed.name, "wave"), time.monotonic()
        return [Item(Outgoing(topic, payload, False), qos, seconds, now_s) for payload in payloads]

    async def last(self, bed: Bed, faults: Faults, qos: int) -> None:
        """The bed has ended: send what a fault still holds back."""
        await self._send(self._waves(bed, faults.flush(), qos))

    async def _send(self, items: list[Item]) -> None:
        """Send messages behind those that wait; where that cannot be done now, keep them."""
        self._kept.keep(items)
        if self._session.reconnects > self._losses:
            self._losses = self._session.reconnects
            self._kept.lost(self._session.lost_s)
        while self._session.connected and self._settled and (first := self._kept.take()):
            if not await self._hand(first):
                self._kept.put_back(first)
                break
            self._kept.handed(first, time.monotonic(), self._session.heard_s)
        self._kept.trim()

    @property
    def _settled(self) -> bool:
        """Have those who listen had time to come back to the broker too?."""
        return not self._losses or time.monotonic() - self._session.since_s > SETTLE_SECONDS

    async def _hand(self, items: list[Item]) -> bool:
        """Hand messages of one quality over; False where the connection is gone."""
        late_s = time.monotonic() - LATE_SECONDS
        messages = [_late(item.message) if item.seconds and item.since_s < late_s else item.message for item in items]
        if items[0].qos == 0:
            return await self._session.hand(messages)
        await self._session.room(UNCONFIRMED)
        if not self._session.connected:
            return False
        self._session.publish(messages)
        return True

    async def ready(self, stop: asyncio.Event) -> None:
        """Wait until a message can be sent at once, or until `stop`."""
        while not (self._session.connected and self._settled) and not stop.is_set():  # noqa: ASYNC110
            await asyncio.sleep(WAIT_SECONDS)

    async def paced(self, bed: Bed, speed: float | str) -> None:
        """Tell that a bed has another speed from now on."""
        self._speeds[bed.name] = speed
        await self._publish(self._status(bed, online=True))

    async def close(self) -> None:
        """Publish every bed as offline with its number of samples, then disconnect.

        The beds' statuses stay with the broker: the ledger is checked against their count. The status of the connection
        itself is removed by an empty retained message; before that, a message that is not retained tells present
        listeners that the beds are offline. After a broken connection the last will stays: a will without beds would
        be empty, and nobody is left to remove it.
        """
        limit_s = time.monotonic() + SETTLE_SECONDS
        while (  # noqa: ASYNC110
            self._kept and self._session.connected and not self._settled and time.monotonic() < limit_s
        ):
            await asyncio.sleep(WAIT_SECONDS)
        while self._session.connected and (items := self._kept.take()):
            await self._hand(items)
        self._kept.clear()
        await self._session.flush()
        self._closing = True
        for bed in self.beds:
            await self._publish(self._status(bed, online=False, final=True))
        if len(self.beds) > 1:
            await self._publish(self._producer("offline")._replace(retain=False))
            await self._publish(self._producer("offline")._replace(payload=b""))
        await self._session.flush()
        await self._session.close()

    async def _publish(self, item: Outgoing) -> None:
        await self._session.room(UNCONFIRMED)
        if self._session.connected:
            self._session.publish([item])

    def _births(self) -> list[Outgoing]:
        """The first messages of every connection: its beds, and their online statuses."""
        if self._closing:
            return []
        shared = [self._producer("online")] if len(self.beds) > 1 else []
        return [*shared, *(self._status(bed, online=True) for bed in self.beds)]

    def _will(self) -> Outgoing:
        """The last will of this connection: its bed, or all its beds, are offline."""
        return self._status(self.beds[0], online=False) if len(self.beds) == 1 else self._producer("offline")

    def _status(self, bed: Bed, online: bool, final: bool = False) -> Outgoing:
        """The bed's retained status."""
        return Outgoing(
            self._topics.of(bed.name, "status"), encode_json(bed.status(online, self._speeds[bed.name], final)), True
        )

    def _producer(self, state: Literal["online", "offline"]) -> Outgoing:
        """The retained status of a connection that many beds share."""
        status = ProducerStatus(SCHEMA, state, [bed.name for bed in self.beds])
        return Outgoing(self._topics.producer(self._name), encode_json(status), True)


def _late(message: Outgoing) -> Outgoing:
    """A wave that comes late says nothing of when it was sent: the wait is not the monitor's latency."""
    try:
        wave = decode_wave(message.payload)
    except MessageError:  # a fault has made it what it is
        return message
    return message._replace(payload=encode_wave(replace(wave, sent_ns=0)))


def connections(
    mqtt: MqttSettings,
    broker: Broker,
    beds: Sequence[Bed],
    speed: float | str,
    run: str,
    alone: int,
    shared: int,
    keep_seconds: float = KEEP_SECONDS,
) -> list[Connection]:
    """One connection per bed for up to `alone` beds, else one for every `shared` beds."""
    size = 1 if len(beds) <= alone else shared
    parts = [beds[at : at + size] for at in range(0, len(beds), size)]
    return [
        Connection(mqtt, broker, part, speed, f"producer-{run}-{number}", keep_seconds)
        for number, part in enumerate(parts)
    ]
