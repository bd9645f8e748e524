"""Which broker to talk to: the one the settings name, or one started inside this process on the loopback.

The embedded broker (amqtt) is there so that a first run needs nothing installed. It listens on the loopback only
and lives in a thread with an event loop of its own, so that it never waits for its host program.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ecg.errors import UserError
from ecg.settings import MqttSettings

PROBE_SECONDS: Final = 3.0
START_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 5.0
CONNECT: Final = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
"""MQTT 3.1.1: a client without a name, a clean session."""
CONNACK: Final = b"\x20"
TLS_ALERT: Final = b"\x15\x03"

EXTERNAL: Final = "external"
EMBEDDED: Final = "embedded amqtt"


@dataclass(frozen=True, slots=True)
class Broker:
    """An MQTT broker that answers. kind: EXTERNAL or EMBEDDED."""

    host: str
    port: int
    kind: str

    @property
    def own(self) -> bool:
        """Has it been started for this program alone, just now and on the loopback?."""
        return self.kind != EXTERNAL

    def __str__(self) -> str:
        return f"{address(self.host, self.port)} ({self.kind})"


@contextmanager
def ensure(mqtt: MqttSettings) -> Iterator[Broker]:
    """The broker the settings name; where none answers on the loopback, an embedded one for as long as this lasts.

    Raises UserError where none answers and none may be started.
    """
    host = bare(mqtt.host)
    problem = probe(host, mqtt.port)
    if problem is None:
        if not mqtt.tls and mqtt.transport == "tcp" and (other := stranger(host, mqtt.port)):
            raise UserError(f"what answers at {address(host, mqtt.port)} is no MQTT broker: {other}")
        yield Broker(host, mqtt.port, EXTERNAL)
        return
    if not (mqtt.embedded and is_loopback(host)) or mqtt.tls or mqtt.transport != "tcp":
        hint = "" if is_loopback(host) else "; one is started by itself on 127.0.0.1 only"
        known = "no TLS" if mqtt.tls else "no websockets" if mqtt.transport != "tcp" else ""
        hint = f"; one that is started by itself knows {known}" if mqtt.embedded and known else hint
        raise UserError(
            f"no MQTT broker answers at {address(host, mqtt.port)} ({problem}): start one there or name another "
            f"with --broker host:port or [mqtt] in config.toml{hint}"
        )
    running = _Embedded("127.0.0.1" if host == "localhost" else host, mqtt.port)
    try:
        yield Broker(running.host, mqtt.port, EMBEDDED)
    finally:
        running.stop()


def bare(host: str) -> str:
    """A host without the brackets that an IPv6 address is written in before a port."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def address(host: str, port: int) -> str:
    """Host and port as typed: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in bare(host) and not host.startswith("[") else f"{host}:{port}"


def probe(host: str, port: int) -> str | None:
    """None where something listens there, else why not. host: a name, or an address with or without brackets."""
    try:
        with socket.create_connection((bare(host), port), timeout=PROBE_SECONDS):
            return None
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__
    except ValueError:  # UnicodeError is one: a name that no domain name can have
        return "it is no host's name"


def stranger(host: str, port: int) -> str:
    """What listens there, in words, where it is no MQTT broker; "" where it is one."""
    try:
        with socket.create_connection((bare(host), port), timeout=ANSWER_SECONDS) as line:
            line.sendall(CONNECT)
            said = line.recv(16)
    except TimeoutError:
        return f"it says nothing within {ANSWER_SECONDS:g} s; check host and port of [mqtt]"
    except OSError:
        said = b""
    if said[:1] == CONNACK or not said:  # a broker may hang up on those who do not log in
        return ""
    if said[:2] == TLS_ALERT:
        return "it speaks TLS; set tls = true in [mqtt], or give the address as mqtts://"
    what = "it is a web server" if said.startswith(b"HTTP") else f"it begins with {said!r}"
    return f"{what}; check host and port of [mqtt]"


def is_loopback(host: str) -> bool:
    """Is this host the machine itself, reachable from nowhere else?."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare(host)).is_loopback
    except ValueError:
        return False


class _Embedded:
    """amqtt in a daemon thread, on the loopback. Raises UserError where it cannot listen."""

    def __init__(self, host: str, port: int) -> None:
        if not is_loopback(host):  # it lets everybody in
            raise UserError(
                f"the embedded broker does not listen on {address(host, port)}: it is for the loopback alone"
            )
        self.host = host
        self.port = port
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="amqtt", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._failed is not None:
            raise UserError(
                f"the embedded broker cannot listen on {address(host, port)} ({self._failed or 'no answer'})"
            )

    async def _serve(self) -> None:
        from ecg.wire.amqtt_broker import EmbeddedBroker

        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._ended = asyncio.Event()
        broker = EmbeddedBroker(  # which takes an IPv6 address without brackets
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{self.host}:{self.port}", "max_connections": 0}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        try:
            await broker.start()
        except Exception as error:
            self._failed = error.__cause__ or error
            self._ready.set()
            return
        self._ready.set()
        await self._ended.wait()
        await broker.shutdown()

    def stop(self) -> None:
        """End the broker and wait for its thread."""
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(5)
