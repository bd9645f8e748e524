"""The producer's MQTT connections: the beds of each, its last will, and the beds' statuses.

An MQTT connection has one last will. So up to `connection_per_bed_up_to` beds have a connection each, whose will sets
the bed offline; beyond that number many beds share a connection, whose will names them all on the producer's own
status topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.messages import SCHEMA, ProducerStatus, encode_json, encode_wave
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from ecg.wire.topics import Topics
from producer.faults import Faults
from producer.sources.base import Bed

UNCONFIRMED: Final = 64
"""Most unconfirmed QoS 1 messages of one connection; a further message waits."""


class Connection:
    """One MQTT connection that carries some beds. It reconnects by itself.

    While it is down, messages are dropped and counted in `dropped`: a live signal waits for nobody.
    """

    def __init__(self, mqtt: MqttSettings, broker: Broker, beds: Sequence[Bed], speed: float | str, name: str) -> None:
        self._topics = Topics(mqtt.topic_root)
        self._name = name
        self._speeds = {bed.name: speed for bed in beds}
        self._session = Session(mqtt, broker, name, self._will, births=self._births)
        self._closing = False
        self._not_sent = 0
        self._streams: dict[str, str] = {}
        self.beds = list(beds)

    @property
    def problem(self) -> str:
        """The reason for a missing connection; "" while connected."""
        return self._session.problem

    @property
    def dropped(self) -> int:
        """Messages that were not sent."""
        return self._not_sent + self._session.outbox.dropped

    async def open(self) -> None:
        """Connect and announce the beds. Raises UserError where the broker refuses."""
        await self._session.open()

    async def wave(self, bed: Bed, sent_ns: int, qos: int, faults: Faults | None = None) -> None:
        """Send the bed's next chunk, and the annotations that belong to it; before a new lap, its status.

        QoS 0: handed to the socket when this returns. QoS 1: confirmed later, in order. faults: of the transport.
        """
        stream = self._streams.get(bed.name)
        wave, truth = bed.next(sent_ns)
        if stream is not None and wave.stream != stream:
            # A stream that was not announced must prove itself before a monitor takes it for the bed's.
            await self._send(bed, faults.flush() if faults else [], qos)
            await self._publish(self._status(bed, online=True))
        self._streams[bed.name] = wave.stream
        plain = faults is None or faults.idle
        await self._send(bed, [encode_wave(wave)] if faults is None or plain else faults.through(wave), qos)
        if truth is not None and not (faults and faults.frozen):
            await self._publish(Outgoing(self._topics.of(bed.name, "truth"), encode_json(truth), False))

    async def last(self, bed: Bed, faults: Faults, qos: int) -> None:
        """The bed has ended: send what a fault still holds back."""
        await self._send(bed, faults.flush(), qos)

    async def _send(self, bed: Bed, payloads: list[bytes], qos: int) -> None:
        topic = self._topics.of(bed.name, "wave")
        for payload in payloads:
            if qos:
                await self._publish(Outgoing(topic, payload, False))
            elif not await self._session.hand(topic, payload):
                self._not_sent += 1

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
        else:
            self._not_sent += 1

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


def connections(
    mqtt: MqttSettings, broker: Broker, beds: Sequence[Bed], speed: float | str, run: str, alone: int, shared: int
) -> list[Connection]:
    """One connection per bed for up to `alone` beds, else one for every `shared` beds."""
    size = 1 if len(beds) <= alone else shared
    parts = [beds[at : at + size] for at in range(0, len(beds), size)]
    return [Connection(mqtt, broker, part, speed, f"producer-{run}-{number}") for number, part in enumerate(parts)]
