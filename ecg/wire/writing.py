"""What goes out on a connection that an MQTT library keeps: all of an event loop's turn, or of a call, in one piece."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from ecg.wire import packets
from ecg.wire.outbox import Outgoing
from ecg.wire.sockets import Numbered

WRITE_BYTES: Final = 1 << 18
"""What is handed to the socket in one piece, about."""


class LineError(Exception):
    """The connection could not be made, or is gone."""


class Library(Protocol):
    """What keeps the connection."""

    def socket(self) -> Numbered | None:
        """The connection's socket, None once it is gone."""

    def receive(self, size: int) -> bytes:
        """Bytes from the socket, b"" at its end. Raises BlockingIOError where there are none, OSError."""

    def send(self, piece: bytes) -> int:
        """Bytes to the socket; returns how many it took. Raises OSError."""

    def heard(self, now_s: float) -> None:
        """Something came, monotonic clock."""

    def number(self) -> int:
        """The next message's number."""

    def read(self) -> bool:
        """Read one packet that is the library's own, or find the end; False for that."""

    def queue(self, piece: memoryview) -> None:
        """Write these bytes behind what it is writing."""

    def writes(self) -> bool:
        """Does something wait to be written?."""

    def write(self) -> object:
        """Write what waits, as far as the socket takes it."""


class Writing(ABC):
    """Writes to one connection, in an event loop or, at once, in another thread.

    drained: called when all that was published is with the kernel. lock: held by whoever reads, writes or calls back.
    """

    def __init__(self, library: Library, drained: Callable[[], None], lock: threading.RLock) -> None:
        self._library, self._drained, self._lock = library, drained, lock
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._flight: set[int] = set()
        self._out: list[bytes] = []
        self._out_bytes = 0

    @abstractmethod
    def look_again(self) -> None:
        """Confirmations are to come."""

    def publish(self, items: Sequence[Outgoing], qos: int) -> list[int]:
        """Send these before the event loop's next turn; returns the numbers that confirmations will come under.

        At QoS 0 there are none. In another thread they are sent at once, and that thread looks for the confirmations.
        Raises LineError where the connection is gone, PacketError.
        """
        with self._lock:
            if self._library.socket() is None:
                raise LineError("the connection is gone")
            here = self._is_here()
            if here and not self._out:
                self._loop.call_soon(self._flush_soon)
            numbers: list[int] = []
            if qos and here:
                self.look_again()
            for item in items:
                number = self._number() if qos else 0
                self._out_bytes += packets.publish(self._out, item.topic, item.payload, item.retain, number)
                if number:
                    numbers.append(number)
                    self._flight.add(number)
                if self._out_bytes > WRITE_BYTES:
                    self._queue()
            if not here:
                self._send()
            return numbers

    def _is_here(self) -> bool:
        """Is this the event loop's thread?."""
        return threading.get_ident() == self._thread

    def _number(self) -> int:
        number = self._library.number()
        while number in self._flight:  # its turn comes again after 65,535 others
            number = self._library.number()
        return number

    def flush(self) -> bool:
        """Send what was published, now. Is all of it with the kernel? Raises LineError where the connection is gone."""
        with self._lock:
            self._queue()
            if self._library.writes():
                self._library.write()
            if self._library.socket() is None:
                raise LineError("the connection is gone")
            if self._library.writes():
                return False
        self._drained()
        return True

    def _flush_soon(self) -> None:
        with suppress(LineError):  # who watches the connection is told
            self.flush()

    def _send(self) -> None:
        """Send what was published, in another thread; what the socket does not take now is left to the event loop."""
        sent, size = 0, self._out_bytes
        if size and not self._library.writes():
            self._out = [b"".join(self._out)]
            with suppress(OSError):  # the event loop finds the same, and does what is to be done then
                sent = self._library.send(self._out[0])
        self._queue(sent)
        if self._library.writes():
            self._loop.call_soon_threadsafe(self._flush_soon)

    def _queue(self, sent: int = 0) -> None:
        """What was published, as one piece, into the library's queue: behind what is being written, never within it.

        sent: bytes of it that are out already.
        """
        piece = memoryview(b"".join(self._out))[sent:]  # cut without a copy where the socket takes less
        self._out, self._out_bytes = [], 0
        if piece:
            self._library.queue(piece)

    def wants_to_write(self, number: int) -> None:
        """The socket of that file descriptor is full."""
        self.here(self._loop.add_writer, number, self._write)

    def has_written(self, number: int) -> None:
        """Nothing waits any more for that socket."""
        self.here(self._loop.remove_writer, number)

    def here(self, do: Callable[..., object], *what: object) -> None:
        """Have something done in the event loop's thread."""
        if self._is_here():
            do(*what)
        else:
            self._loop.call_soon_threadsafe(do, *what)

    def _write(self) -> None:
        """The socket takes more."""
        with self._lock:
            self._library.write()
            if self._library.writes():
                return
        self._drained()
