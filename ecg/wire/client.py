"""One connection to an MQTT broker: the only module that knows aiomqtt and the paho-mqtt client inside it.

`ecg.wire.session` makes one after the other of them.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import aiomqtt
from paho.mqtt import client as paho

from ecg.settings import MqttSettings
from ecg.wire import packets, sockets
from ecg.wire.broker import Broker, bare, is_loopback
from ecg.wire.flow import Flow, Lots, Received
from ecg.wire.outbox import Outgoing
from ecg.wire.resting import Rest
from ecg.wire.writing import LineError

KEEPALIVE_SECONDS: Final = 10
ANSWER_SECONDS: Final = 10.0
RECEIVE_BUFFER: Final = 4 << 20
QUIET: Final = logging.getLogger("ecg.wire.client")
"""The client's own log: what it says of a lost connection the session says in a sentence."""
QUIET.setLevel(logging.CRITICAL)


class RefusedError(LineError):
    """The broker answers and does not let us do what we want."""


class Line:
    """One connection to the broker: everything that is used of aiomqtt and of the paho-mqtt client inside it.

    They connect, log in, encrypt, subscribe, keep the connection alive and notice its end. Messages and their
    confirmations do not pass through them but through `flow`: they are read from the socket many at a time and taken
    apart by `ecg.wire.packets`, the library gets the packets that are left; and all that is published in one turn of
    the event loop stands as one piece in the library's queue. tests/ecg/wire/test_client.py holds both packages to what
    is used.

    received, confirmed, drained, lock, lots: see `Flow`. rests_until: before when nobody needs what comes
    (`ecg.wire.resting`).
    """

    def __init__(
        self,
        mqtt: MqttSettings,
        broker: Broker,
        identifier: str,
        will: Outgoing | None,
        tls: ssl.SSLContext | None,
        received: Received | None,
        confirmed: Callable[[list[int]], None] = lambda _numbers: None,
        drained: Callable[[], None] = lambda: None,
        rests_until: Callable[[], float] = lambda: 0.0,
        lock: threading.RLock | None = None,
        lots: Lots | None = None,
    ) -> None:
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        if received:
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
            tls_context=tls,
            transport=mqtt.transport,
            websocket_path=mqtt.websocket_path if mqtt.transport == "websockets" else None,
            logger=QUIET,
            socket_options=options,
        )
        self._paho: paho.Client = self._client._client
        self._paho.on_disconnect = self._hung_up
        self._entering = False
        near = is_loopback(broker.host)
        rest = Rest(rests_until)
        shared = lock or threading.RLock()
        self.flow = Flow(_Paho(self._paho), received, confirmed, drained, rest, near, shared, lots)

    def _hung_up(self, *what: Any) -> None:
        """The connection is gone. Where that is before it stood, the library would wait for the rest of its time."""
        self._client._on_disconnect(*what)
        if self._entering and not self._client._connected.done():
            self._client._connected.set_exception(aiomqtt.MqttError("it hangs up before it lets anyone in"))

    async def __aenter__(self) -> Self:
        self._entering = True
        try:
            await self._client.__aenter__()
        except aiomqtt.MqttCodeError as error:
            raise RefusedError(str(error)) from None
        except (aiomqtt.MqttError, OSError, ValueError) as error:  # a name that is no host's is a ValueError
            raise LineError(str(error) or type(error).__name__) from None
        finally:
            self._entering = False
        self._take_over()
        return self

    def _take_over(self) -> None:
        """From now on this reads and writes; the library's own packets still pass through it. Raises LineError."""
        self._paho._sock_recv = self.flow.for_the_library  # type: ignore[method-assign,assignment]
        self._paho.on_socket_register_write = self._want_to_write
        self._paho.on_socket_unregister_write = self._written
        connected = self._paho.socket()
        if connected is None:  # it has gone already, and aiomqtt forgets that
            raise LineError("the connection broke as soon as it stood")
        self.flow.begin(connected)

    def _want_to_write(self, _client: paho.Client, _userdata: object, connected: paho.SocketLike) -> None:
        self.flow.wants_to_write(connected.fileno())

    def _written(self, _client: paho.Client, _userdata: object, connected: paho.SocketLike) -> None:
        self.flow.has_written(connected.fileno())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flow.left = True
        self.flow.look_again()
        with suppress(LineError):
            self.flow.flush()
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
        self.flow.received = None
        self._paho.unsubscribe(list(filters))

    async def end(self) -> None:
        """Wait until the connection is gone, then raise LineError."""
        try:
            async for _message in self._client.messages:  # none comes this way
                pass
        except aiomqtt.MqttError as error:
            if self.flow.broke:
                raise self.flow.broke from None
            raise LineError(str(error.__cause__ or error)) from None


class _Paho:
    """What `Flow` wants of the paho-mqtt client: see `ecg.wire.writing.Library`."""

    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self.receive, self.send = client._sock_recv, client._sock_send
        self.number, self.writes, self.write = client._mid_generate, client.want_write, client.loop_write
        self.socket: Callable[[], sockets.Numbered | None] = client.socket

    def heard(self, now_s: float) -> None:
        """Something came."""
        self._client._last_bytes_received = now_s

    def read(self) -> bool:
        """Read one packet."""
        return self._client.loop_read() == paho.MQTT_ERR_SUCCESS

    def queue(self, piece: memoryview) -> None:
        """Write these bytes behind what it is writing."""
        self._client._out_packet.append(
            {
                "command": packets.PUBACK,  # of which the library makes nothing once it is out
                "mid": 0,
                "qos": 1,
                "pos": 0,
                "to_process": len(piece),
                "packet": piece,  # type: ignore[typeddict-item]
                "info": None,
            }
        )
