"""A TCP relay between programs and their broker, that delays, throttles, stands still, or breaks in mid-packet.

It needs no rights. TCP hides loss and reordering from whoever is above it: those are in `monitor.bench.tunnel`.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from monitor.bench.harness import free_port

PIECE: Final = 4096
PIECES: Final = 64
"""On their way in one direction of a connection; whoever sends more waits."""
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of a connection that ends with a reset."""
LOOK_SECONDS: Final = 0.05


class Relay:
    """From `port` of the loopback to `target`. delay_s, jitter_s: of each piece, at least and on top of it; never out
    of order. rate: bytes/s in each direction of a connection, 0 for any. still: nothing passes, and nobody is told.
    """

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self.delay_s = self.jitter_s = self.rate = 0.0
        self.still = False
        self._chance = random.Random(1)
        self._cut: asyncio.Event | None = None
        self._open: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()

    async def listen(self) -> asyncio.Server:
        """Begin."""
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self) -> int:
        """Break all connections, the first of them within the next piece; returns how many there were."""
        self._cut = asyncio.Event()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cut.wait(), 5)
        self._cut = None
        broken = list(self._open)
        for pair in broken:
            self._break(pair)
        return len(broken)

    def _break(self, pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        for writer in pair:
            if (connected := writer.get_extra_info("socket")) is not None:
                with suppress(OSError):
                    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        self._open.discard(pair)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self._open.add(pair)
        pumps = [asyncio.create_task(self._pump(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        self._break(pair)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, until it ends."""
        now, pieces = asyncio.get_running_loop().time, asyncio.Queue[tuple[float, bytes]](PIECES)

        async def take() -> None:
            with suppress(OSError):
                while data := await reader.read(PIECE):
                    await pieces.put((now() + self.delay_s + self._chance.uniform(0, self.jitter_s), data))
            await pieces.put((0.0, b""))

        taking = asyncio.create_task(take())
        try:
            while True:
                due_s, data = await pieces.get()
                await asyncio.sleep(max(due_s - now(), 0))
                while self.still:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)
                if not data:
                    return
                whole = len(data) if self._cut is None or self._cut.is_set() else len(data) // 2
                writer.write(data[:whole])
                await writer.drain()
                if whole < len(data) and self._cut is not None:
                    self._cut.set()
                    return
                if self.rate:
                    await asyncio.sleep(len(data) / self.rate)
        except OSError:
            return
        finally:
            taking.cancel()


class RelayThread:
    """A relay in a thread of its own, for whoever has no event loop."""

    def __init__(self, target: int) -> None:
        self.relay = Relay(target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)

    def cut(self) -> int:
        """As `Relay.cut`."""
        return asyncio.run_coroutine_threadsafe(self.relay.cut(), self._loop).result(10)

    @contextmanager
    def running(self) -> Iterator[RelayThread]:
        """Listen until this ends."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.relay.listen(), self._loop).result(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
