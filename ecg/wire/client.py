"""One connection to an MQTT broker: the only module that knows aiomqtt and the paho-mqtt client inside it.

`ecg.wire.session` makes one after the other of them.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import aiomqtt
from paho.mqtt import client as paho
from paho.mqtt.matcher import MQTTMatcher

from ecg.settings import MqttSettings
from ecg.wire.broker import Broker, bare
from ecg.wire.outbox import Outgoing

KEEPALIVE_SECONDS: Final = 10
ANSWER_SECONDS: Final = 10.0
RECEIVE_BUFFER: Final = 4 << 20
QUIET: Final = logging.getLogger("ecg.wire.client")
"""The client's own log: what it says of a lost connection the session says in a sentence."""
QUIET.setLevel(logging.CRITICAL)
NOT_UTF8: Final = "(a topic that is not UTF-8)"

Arrived = Callable[[str, bytes, bool], None]
"""Called with topic, payload, and whether the message was retained, in the session's event loop."""


class LineError(Exception):
    """The connection could not be made, or is gone."""


class RefusedError(LineError):
    """The broker answers and does not let us do what we want."""


class Line:
    """One connection to the broker: everything that is used of aiomqtt and of the paho-mqtt client inside it.

    aiomqtt connects, subscribes and notices the end. Messages do not pass through it: it gives every confirmation a
    task, refuses odd topics by breaking the connection, and hands messages on one by one. The callbacks of the
    paho-mqtt client come in the same event loop. tests/ecg/wire/test_client.py holds both packages to what is used.
    """

    def __init__(
        self,
        mqtt: MqttSettings,
        broker: Broker,
        identifier: str,
        will: Outgoing | None,
        tls: ssl.SSLContext | None,
        arrived: Arrived | None,
        confirmed: Callable[[int], None],
    ) -> None:
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        if arrived:
            options.append((socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER))
        self._client = aiomqtt.Client(
            bare(broker.host),
            broker.port,
            username=mqtt.username or None,
            password=mqtt.password or None,
            identifier=identifier,
            will=aiomqtt.Will(will.topic, will.payload, 1, will.retain) if will else None,
            keepalive=KEEPALIVE_SECONDS,
            timeout=ANSWER_SECONDS,
            max_inflight_messages=0,  # the outbox bounds them
            tls_context=tls,
            transport=mqtt.transport,
            websocket_path=mqtt.websocket_path if mqtt.transport == "websockets" else None,
            logger=QUIET,
            socket_options=options,
        )
        self._paho: paho.Client = self._client._client
        self._paho._on_message_filtered = _NoFilters()  # type: ignore[no-untyped-call]
        self._paho.on_message = self._on_message
        self._paho.on_publish = self._on_publish
        self._arrived, self._confirmed = arrived, confirmed
        self._acknowledge: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        try:
            await self._client.__aenter__()
        except aiomqtt.MqttCodeError as error:
            raise RefusedError(str(error)) from None
        except (aiomqtt.MqttError, OSError, ValueError) as error:  # a name that is no host's is a ValueError
            raise LineError(str(error) or type(error).__name__) from None
        if self._arrived:
            self._acknowledge = _acknowledger(self._paho.socket())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(aiomqtt.MqttError):
            await self._client.__aexit__(kind, error, trace)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for the messages of these topics at QoS 1. Raises LineError."""
        try:
            granted = [getattr(one, "value", one) for one in await self._client.subscribe([(f, 1) for f in filters])]
        except aiomqtt.MqttError as error:
            raise LineError(str(error)) from None
        for wanted, answer in zip(filters, granted, strict=True):
            if answer >= 0x80:
                raise RefusedError(f"it may not subscribe to {wanted}")

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Ask for the messages of these topics no more. The broker's word on that is not waited for."""
        self._arrived = None
        self._paho.unsubscribe(list(filters))

    def publish(self, item: Outgoing, qos: int) -> int:
        """Hand a message to the client; returns the number its confirmation will come under. Raises LineError."""
        for _ in range(2):  # a number may still be in flight when its turn comes again after 65,535 others
            info = self._paho.publish(item.topic, item.payload, qos, item.retain)
            if info.rc == paho.MQTT_ERR_SUCCESS:
                return info.mid
        raise LineError(paho.error_string(info.rc))

    async def end(self) -> None:
        """Wait until the connection is gone, then raise LineError."""
        try:
            async for _message in self._client.messages:  # none comes this way
                pass
        except aiomqtt.MqttError as error:
            raise LineError(str(error.__cause__ or error)) from None

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        self._acknowledge()
        if self._arrived:
            try:
                topic = message.topic
            except UnicodeDecodeError:
                topic = NOT_UTF8
            self._arrived(topic, bytes(message.payload), bool(message.retain))

    def _on_publish(self, _client: paho.Client, _userdata: object, number: int, *_more: object) -> None:
        self._acknowledge()
        self._confirmed(number)


class _NoFilters(MQTTMatcher):
    """No callback waits for messages of certain topics; looking for one leaves a reference cycle with every message."""

    def iter_match(self, topic: str) -> Iterator[object]:  # noqa: ARG002
        """None."""
        return iter(())


def _acknowledger(connected: object) -> Callable[[], None]:
    """What makes the kernel acknowledge at once what it has received; nothing where it cannot be told to.

    Left alone it waits up to 40 ms, and a broker that uses Nagle's algorithm, as Mosquitto does unless told otherwise,
    keeps the next message back for as long.
    """
    quick: int | None = getattr(socket, "TCP_QUICKACK", None)
    if quick is None or not isinstance(connected, socket.socket):
        return lambda: None

    def acknowledge() -> None:
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, quick, 1)

    return acknowledge
