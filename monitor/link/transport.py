"""Screen and service are two processes joined by a pipe, so that drawing never slows inference.

Frames on the pipe: four bytes of length (little-endian), then MessagePack: snapshots one way, intents the other. When
either end goes, for whatever reason, the other sees the end of the pipe and ends too.
"""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Final

import msgspec

from ecg import programs
from monitor.link.contract import LinkClosed
from monitor.link.protocol import BedDetail, Intent, Quit, Snapshot
from monitor.processes import wait_or_kill

LENGTH: Final = struct.Struct("<I")
LONGEST: Final = 256 << 20
END_SECONDS: Final = 8.0

_snapshot = msgspec.msgpack.Decoder(Snapshot)
_intent = msgspec.msgpack.Decoder(Intent)
_encode = msgspec.msgpack.Encoder().encode


def frame(message: Snapshot | Intent) -> bytes:
    """A message as it goes over the pipe."""
    payload = _encode(message)
    return LENGTH.pack(len(payload)) + payload


def merge(old: Snapshot, new: Snapshot) -> Snapshot:
    """Two snapshots as one: the newer state, and what is new in either."""
    details: dict[str, BedDetail] = {detail.bed: detail for detail in old.shown}
    for detail in new.shown:
        before = details.get(detail.bed)
        details[detail.bed] = detail if before is None or detail.fresh else _joined(before, detail)
    return Snapshot(new.status, new.beds or old.beds, list(details.values()), old.notices + new.notices)


def _joined(old: BedDetail, new: BedDetail) -> BedDetail:
    return BedDetail(
        bed=new.bed,
        stream=new.stream,
        fresh=old.fresh,
        strips=old.strips + new.strips,
        beats=old.beats + new.beats,
        truth=old.truth + new.truth,
        memory=new.memory if new.memory is not None else old.memory,
    )


class ServiceProcess:
    """The screen's end: starts the service and reads its snapshots in a thread of its own."""

    def __init__(self, arguments: list[str]) -> None:
        self._process = subprocess.Popen(
            [*programs.command("monitor"), "--service", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self._pending: Snapshot | None = None
        self._last: Snapshot | None = None
        self._closed = ""
        self._said: list[str] = []
        for work in (self._read, self._listen):
            threading.Thread(target=work, daemon=True).start()

    def snapshot(self) -> Snapshot | None:
        """Everything new since the last call, None where there is nothing. Raises LinkClosed at the end."""
        with self._lock:
            found, self._pending = self._pending, None
            if found is not None:
                if not found.beds and self._last is not None:
                    found = msgspec.structs.replace(found, beds=self._last.beds)
                self._last = found
                return found
            if self._closed:
                raise LinkClosed(self._closed)
        return None

    def send(self, intent: Intent) -> None:
        """Ask the service for something; lost where the service is gone."""
        pipe = self._process.stdin
        with suppress(OSError, ValueError):
            if pipe:
                pipe.write(frame(intent))
                pipe.flush()

    def close(self) -> None:
        """End the service and everything it started."""
        self.send(Quit())
        with suppress(OSError, ValueError):
            if self._process.stdin:
                self._process.stdin.close()
        wait_or_kill(self._process, END_SECONDS)

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        while (payload := read_frame(pipe)) is not None:
            new = _snapshot.decode(payload)
            with self._lock:
                self._pending = new if self._pending is None else merge(self._pending, new)
        status = self._process.wait()
        with self._lock:
            self._closed = " ".join(self._said[-3:]) or f"the monitor's service ended (exit status {status})"

    def _listen(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        for line in pipe:
            self._said.append(line.decode(errors="replace").strip())
            del self._said[:-20]


def read_frame(pipe: IO[bytes]) -> bytes | None:
    """The next frame's payload; None at the end of the pipe."""
    head = pipe.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    payload = pipe.read(LENGTH.unpack(head)[0])
    return payload if len(payload) == LENGTH.unpack(head)[0] else None


class Pipe:
    """The service's end, on its standard input and output, for an event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls) -> Pipe:
        """Connect standard input and output."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
        return cls(reader, writer)

    @property
    def behind(self) -> bool:
        """Has the screen not read yet what was written before?."""
        return self._writer.get_write_buffer_size() > 0

    def write(self, snapshot: Snapshot) -> None:
        """Send a snapshot."""
        self._writer.write(frame(snapshot))

    async def read(self) -> Intent | None:
        """The next intent; None when the screen is gone. One that cannot be read counts as gone."""
        try:
            head = await self._reader.readexactly(LENGTH.size)
            payload = await self._reader.readexactly(LENGTH.unpack(head)[0])
            return _intent.decode(payload)  # type: ignore[no-any-return]
        except (asyncio.IncompleteReadError, msgspec.MsgspecError):
            return None
