"""A connection's socket, below MQTT: what the kernel and a TLS layer do with it."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol


class Numbered(Protocol):
    """Whatever has a file descriptor."""

    def fileno(self) -> int:
        """Its number, -1 once it is closed."""


def pending(connected: object) -> bool:
    """Does a TLS layer hold bytes that the socket does not show?."""
    held = getattr(connected, "pending", None)
    return held is not None and held() > 0


def acknowledger(connected: object) -> Callable[[], None]:
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


def buffer(connected: object) -> int:
    """Bytes of the kernel's buffer for what comes; 0 where that is not known."""
    if isinstance(connected, socket.socket):
        with suppress(OSError):
            return connected.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return 0


def shows(connected: Numbered, seconds: float) -> bool:
    """Is there something to read, or an end, within that time? Waits for it, without Python's lock."""
    try:
        return bool(select.select((connected.fileno(),), (), (), seconds)[0])
    except (OSError, ValueError):  # it is closed, or its number too high for this: whoever reads finds out
        return False


def another(connected: Numbered) -> int | None:
    """A file descriptor of its own for the same socket, to wait at; None where it is closed."""
    try:
        return os.dup(connected.fileno())
    except OSError:
        return None
