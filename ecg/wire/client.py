"""One connection to an MQTT broker: the only module that knows aiomqtt and the paho-mqtt client inside it.

`ecg.wire.session` makes one after the other of them.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import aiomqtt
from paho.mqtt import client as paho

from ecg import clock
from ecg.settings import MqttSettings
from ecg.wire import packets
from ecg.wire.broker import Broker, bare
from ecg.wire.outbox import Outgoing
from ecg.wire.packets import Arrival, PacketError, Splitter
from ecg.wire.resting import Rest

KEEPALIVE_SECONDS: Final = 10
ANSWER_SECONDS: Final = 10.0
RECEIVE_BUFFER: Final = 4 << 20
QUIET: Final = logging.getLogger("ecg.wire.client")
"""The client's own log: what it says of a lost connection the session says in a sentence."""
QUIET.setLevel(logging.CRITICAL)
READ_BYTES: Final = 1 << 16
READS: Final = 16
"""Reads in a row, before others have their turn."""
WRITE_BYTES: Final = 1 << 18
"""What is handed to the socket in one piece, about."""

Received = Callable[[list[Arrival]], None]
"""Called with the messages of one look at the socket, in the session's event loop."""


class LineError(Exception):
    """The connection could not be made, or is gone."""


class RefusedError(LineError):
    """The broker answers and does not let us do what we want."""


class Line:
    """One connection to the broker: everything that is used of aiomqtt and of the paho-mqtt client inside it.

    They connect, log in, encrypt, subscribe, keep the connection alive and notice its end. Messages and their
    confirmations do not pass through them: they are read from the socket many at a time and taken apart by
    `ecg.wire.packets`, the library gets the packets that are left; and all that is published in one turn of the event
    loop stands as one piece in the library's queue. tests/ecg/wire/test_client.py holds both packages to what is used.

    heard_s: when the broker was last heard, monotonic clock. received: gets what comes. confirmed: called with the
    numbers of messages that the broker has. drained: called when all that was published is with the kernel.
    rests_until: before when nobody needs what comes (`ecg.wire.resting`); confirmations are never waited for longer.
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
        self._received, self._confirmed, self._drained = received, confirmed, drained
        self._loop = asyncio.get_running_loop()
        self._receive = self._paho._sock_recv
        self._splitter = Splitter()
        self._others = bytearray()
        self.heard_s = time.monotonic()
        self._entering = self._ended = False
        self._broke: Exception | None = None
        self._flight: set[int] = set()
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._acknowledge: Callable[[], None] = lambda: None
        self._rest = Rest(rests_until)
        self._resting: asyncio.TimerHandle | None = None

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
        self._paho._sock_recv = self._for_the_library  # type: ignore[method-assign,assignment]
        self._paho.on_socket_register_write = self._want_to_write
        self._paho.on_socket_unregister_write = self._written
        connected = self._paho.socket()
        if connected is None:  # it has gone already, and aiomqtt forgets that
            raise LineError("the connection broke as soon as it stood")
        if self._received:
            self._acknowledge = _acknowledger(connected)
        self._loop.remove_reader(connected.fileno())
        self._loop.add_reader(connected.fileno(), self._read)
        self._read()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._look_again()
        with suppress(LineError):
            self.flush()
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
        self._received = None
        self._paho.unsubscribe(list(filters))

    def publish(self, items: Sequence[Outgoing], qos: int) -> list[int]:
        """Send these before the event loop's next turn; returns the numbers that confirmations will come under.

        At QoS 0 there are none. Raises LineError where the connection is gone, PacketError.
        """
        if self._paho.socket() is None:
            raise LineError("the connection is gone")
        if not self._out:
            self._loop.call_soon(self._flush_soon)
        numbers: list[int] = []
        if qos:
            self._look_again()
        for item in items:
            number = self._number() if qos else 0
            self._out_bytes += packets.publish(self._out, item.topic, item.payload, item.retain, number)
            if number:
                numbers.append(number)
                self._flight.add(number)
            if self._out_bytes > WRITE_BYTES:
                self._queue()
        return numbers

    def _number(self) -> int:
        number = self._paho._mid_generate()
        while number in self._flight:  # its turn comes again after 65,535 others
            number = self._paho._mid_generate()
        return number

    def flush(self) -> bool:
        """Send what was published, now. Is all of it with the kernel? Raises LineError where the connection is gone."""
        self._queue()
        if self._paho.want_write():
            self._paho.loop_write()
        if self._paho.socket() is None:
            raise LineError("the connection is gone")
        if self._paho.want_write():
            return False
        self._drained()
        return True

    def _flush_soon(self) -> None:
        with suppress(LineError):  # who watches the connection is told
            self.flush()

    def _queue(self) -> None:
        """What was published, as one piece, into the library's queue: behind what is being written, never within it."""
        if not self._out:
            return
        piece = memoryview(b"".join(self._out))  # cut without a copy where the socket takes less
        self._out, self._out_bytes = [], 0
        self._paho._out_packet.append(
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

    async def end(self) -> None:
        """Wait until the connection is gone, then raise LineError."""
        try:
            async for _message in self._client.messages:  # none comes this way
                pass
        except aiomqtt.MqttError as error:
            if self._broke:
                raise self._broke from None
            raise LineError(str(error.__cause__ or error)) from None

    def _want_to_write(self, _client: paho.Client, _userdata: object, connected: paho.SocketLike) -> None:
        self._loop.add_writer(connected.fileno(), self._write)

    def _written(self, _client: paho.Client, _userdata: object, connected: paho.SocketLike) -> None:
        self._loop.remove_writer(connected.fileno())

    def _write(self) -> None:
        """The socket takes more."""
        self._paho.loop_write()
        if not self._paho.want_write():
            self._drained()

    def _read(self) -> None:
        """What the socket holds: messages and confirmations to who wants them, the rest to the library."""
        arrivals: list[Arrival] = []
        confirmed: list[int] = []
        more, size = True, 0
        try:
            for _ in range(READS):
                data = self._receive(READ_BYTES)
                if not data:
                    self._ended = True
                    break
                size += len(data)
                taken = self._splitter.split(data, clock.steady_ns())
                arrivals += taken.arrivals
                confirmed += taken.confirmed
                self._others += taken.others
                if taken.answers:
                    self._out.append(taken.answers)
                    self._out_bytes += len(taken.answers)
                if not (more := len(data) == READ_BYTES or _pending(self._paho.socket())):
                    break
        except BlockingIOError:
            more = False
        except (OSError, PacketError):
            self._ended = True
        self._paho._last_bytes_received = self.heard_s = time.monotonic()
        try:
            if arrivals and self._received:
                self._received(arrivals)
            if confirmed:
                self._flight.difference_update(confirmed)
                self._confirmed(confirmed)
        except Exception as error:  # whoever watches the connection is told, and makes another
            self._broke, self._ended = error, True
        while self._others and self._paho.loop_read() == paho.MQTT_ERR_SUCCESS:
            pass
        if self._ended:
            self._paho.loop_read()  # finds the end, and does what is to be done then
            return
        if self._out:
            self._flush_soon()
        self._acknowledge()
        if more:  # a TLS layer holds it, and the socket does not show that
            self._loop.call_soon(self._read_on)
        elif (rest_s := self._rest.seconds(self.heard_s, size)) and self._received and not self._flight:
            self._leave_alone(rest_s)

    def _leave_alone(self, seconds: float) -> None:
        """Do not look at the socket for so long, nor until something is published that is to be confirmed."""
        connected = self._paho.socket()
        if connected is not None and self._resting is None:
            self._loop.remove_reader(connected.fileno())
            self._resting = self._loop.call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._look_again()
        self._read_on()

    def _look_again(self) -> None:
        """The end of a rest, if there is one."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting, connected = None, self._paho.socket()
            if connected is not None:
                self._loop.add_reader(connected.fileno(), self._read)

    def _read_on(self) -> None:
        if not self._ended and self._paho.socket() is not None:
            self._read()

    def _for_the_library(self, size: int) -> bytes:
        """What the library reads in place of the socket."""
        if self._others:
            part = bytes(self._others[:size])
            del self._others[:size]
            return part
        if self._ended:
            return b""
        raise BlockingIOError


def _pending(connected: object) -> bool:
    """Does a TLS layer hold bytes that the socket does not show?."""
    pending = getattr(connected, "pending", None)
    return pending is not None and pending() > 0


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
