"""What a connection brings, past the MQTT library that keeps it: messages and confirmations, many at a time.

The library gets the packets that are left (`ecg.wire.client` is the only module that knows it).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Final

from ecg import clock
from ecg.wire import sockets
from ecg.wire.lot_splitter import LotSplitter
from ecg.wire.lots import Lot
from ecg.wire.packets import Arrival, PacketError, Splitter
from ecg.wire.resting import MOST_SECONDS, Rest
from ecg.wire.writing import Library, Writing

READ_BYTES: Final = 1 << 16
READS: Final = 16
"""Reads in a row, before others have their turn."""
ACKNOWLEDGEMENT: Final = 4
"""Bytes of one."""
MOST_LOOKS: Final = 8
"""Looks one after the other, while something comes."""

Received = Callable[[list[Arrival]], None]
"""Called with the messages of one look at the socket."""
Lots = Callable[[Lot], None]
"""Called with messages that are left together."""


class Flow(Writing):
    """Reads from and writes to one connection.

    received: gets what comes; None once nothing is wanted. lots: gets it where much comes at once. confirmed: called
    with the numbers of messages that the broker has. rest: when the socket is left alone; confirmations are never
    waited for longer. near: is the broker on this host? lock: held by whoever reads, writes or calls back. heard_s:
    when the broker was last heard, monotonic clock. broke: what `received` or `confirmed` raised. left: is the
    connection being given up? The rest: see `Writing`.

    All methods are of the event loop in whose thread this was made, but for `publish`, `look`, `look_for`, `recall` and
    `waits`: with these another thread has what comes and sends at once, without waking this one.
    """

    def __init__(
        self,
        library: Library,
        received: Received | None,
        confirmed: Callable[[list[int]], None],
        drained: Callable[[], None],
        rest: Rest,
        near: bool,
        lock: threading.RLock,
        lots: Lots | None = None,
    ) -> None:
        super().__init__(library, drained, lock)
        self._lots = lots
        self.received, self._confirmed, self._rest = received, confirmed, rest
        self.heard_s = time.monotonic()
        self.broke: Exception | None = None
        self.left = False
        self.near = near
        self._splitter = LotSplitter() if lots else Splitter()
        self._others = bytearray()
        self._ended = False
        self._minded_s = float("-inf")
        self._acknowledge: Callable[[], None] = lambda: None
        self._resting: asyncio.TimerHandle | None = None

    def begin(self, connected: sockets.Numbered) -> None:
        """From now on this reads."""
        if self.received:
            self._acknowledge = sockets.acknowledger(connected)
            self._rest.buffer(sockets.buffer(connected))
        self._loop.remove_reader(connected.fileno())
        self._loop.add_reader(connected.fileno(), self._read)
        self._read()

    def _take(self) -> tuple[int, bool]:
        """What the socket holds: messages and confirmations to who wants them, the rest aside for the library.

        Returns how many bytes that were, and whether there are more.
        """
        arrivals: list[Arrival] = []
        confirmed: list[int] = []
        more, size, acknowledged = not self._ended, 0, 0
        try:
            for _ in range(READS if more else 0):
                data = self._library.receive(READ_BYTES)
                if not data:
                    self._ended = True
                    break
                size += len(data)
                taken = self._splitter.split(data, clock.steady_ns())
                arrivals += taken.arrivals
                if taken.lot:
                    self._give(arrivals, taken.lot)
                confirmed += taken.confirmed
                self._others += taken.others
                if taken.answers:
                    self._out.append(taken.answers)
                    self._out_bytes += len(taken.answers)
                    acknowledged += len(taken.answers) // ACKNOWLEDGEMENT
                if not (more := len(data) == READ_BYTES or sockets.pending(self._library.socket())):
                    break
        except BlockingIOError:
            more = False
        except (OSError, PacketError):
            self._ended = True
        now_s = time.monotonic()
        self._rest.looked(now_s, size, acknowledged)
        if size:
            self.heard_s = now_s
            self._library.heard(now_s)
        try:
            if arrivals and self.received:
                self.received(arrivals)
            if confirmed:
                self._flight.difference_update(confirmed)
                self._confirmed(confirmed)
        except Exception as error:  # whoever watches the connection is told, and makes another
            self.broke, self._ended = error, True
        return size, more

    def _give(self, arrivals: list[Arrival], lot: Lot) -> None:
        """Messages to who wants them, with those that came before."""
        if self.received and self._lots:
            if arrivals:
                self.received(arrivals.copy())
                arrivals.clear()
            self._lots(lot)

    def _read(self) -> None:
        """There is something at the socket."""
        with self._lock:
            _, more = self._take()
            while self._others and self._library.read():
                pass
            if self._ended:
                self._library.read()  # finds the end, and does what is to be done then
                return
            if self._out:
                self._flush_soon()
            self._acknowledge()
            if more:  # a TLS layer holds it, and the socket does not show that
                self._loop.call_soon(self._read_on)
                return
            now_s = time.monotonic()
            minded = not self._flight or now_s - self._minded_s < MOST_SECONDS
            if minded and self.received and (rest_s := self._rest.left(now_s)):
                self._leave_alone(rest_s)

    def _read_on(self) -> None:
        if self._library.socket() is not None:
            self._read()

    def look(self, times: int = MOST_LOOKS) -> None:
        """Read what the socket holds, in another thread than the event loop's.

        A broker of this host that has kept messages back until now sends them within the acknowledgement, so there are
        looks until nothing comes. Whatever is neither message nor confirmation is left to the event loop.
        """
        with self._lock:
            if self.left or self._ended or self._library.socket() is None:
                return
            for _ in range(times if self.near else 1):
                size, more = self._take()
                if not size:
                    break
                self._acknowledge()
            self._minded_s = time.monotonic()
            if self._out:
                self._send()
            if more or self._others or self._ended:
                self._loop.call_soon_threadsafe(self._read_on)

    def recall(self) -> None:
        """Another thread looks no more."""
        self._minded_s = float("-inf")
        self._loop.call_soon_threadsafe(self.look_again)

    @property
    def in_flight(self) -> int:
        """Messages sent and not confirmed."""
        return len(self._flight)

    def look_for(self, seconds: float) -> bool:
        """Look, in another thread, until all that was sent is confirmed, for so long. Is it confirmed?."""
        limit_s = time.monotonic() + seconds
        while self._flight and not self.left:
            left_s, connected = limit_s - time.monotonic(), self._library.socket()
            if connected is None or left_s <= 0 or not sockets.shows(connected, left_s):
                return False
            self.look(1)
        return True

    def waits(self) -> int | None:
        """A file descriptor for another thread to wait at until there is something to read; it is to close it."""
        connected = self._library.socket()
        return None if connected is None or self.left else sockets.another(connected)

    def for_the_library(self, size: int) -> bytes:
        """What the library reads in place of the socket."""
        if self._others:
            part = bytes(self._others[:size])
            del self._others[:size]
            return part
        if self._ended:
            return b""
        raise BlockingIOError

    @property
    def little(self) -> bool:
        """Does so little come that another thread may look at it when it likes?."""
        return self._rest.little and not self.left

    def _leave_alone(self, seconds: float) -> None:
        """Do not look at the socket for so long, nor until something is published that is to be confirmed."""
        connected = self._library.socket()
        if connected is not None and self._resting is None:
            self._loop.remove_reader(connected.fileno())
            self._resting = self._loop.call_later(seconds, self._rested)

    def _rested(self) -> None:
        """A rest is over, unless another thread has looked meanwhile."""
        with self._lock:
            rest_s = self._rest.left(time.monotonic())
            if rest_s:
                self._resting = self._loop.call_later(rest_s, self._rested)
                return
            self.look_again()
            self._read_on()

    def look_again(self) -> None:
        """The end of a rest, if there is one."""
        with self._lock:
            if self._resting is not None:
                self._resting.cancel()
                self._resting, connected = None, self._library.socket()
                if connected is not None:
                    self._loop.add_reader(connected.fileno(), self._read)
