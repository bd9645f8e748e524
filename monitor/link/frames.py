"""Frames of the link: four bytes of length (little-endian), then MessagePack, checked before it is believed."""

from __future__ import annotations

import asyncio
import struct
from typing import IO, Final

import msgspec

from monitor.link.protocol import Intent, Told

LENGTH: Final = struct.Struct("<I")
MOST_TOLD: Final = 16 << 20
"""Bytes of one message to a screen: ten minutes of a bed of two leads are 2 MiB."""
MOST_INTENT: Final = 64 << 10
"""Bytes of one intent: 64 beds by name are 5 KiB."""
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_told = msgspec.msgpack.Decoder(Told)
_intent = msgspec.msgpack.Decoder(Intent)
_encode = msgspec.msgpack.Encoder().encode


class FrameError(ValueError):
    """What came over the link cannot be used; the text says why."""


def frame(message: Told | Intent) -> bytes:
    """A message as it goes over the link."""
    payload = _encode(message)
    return LENGTH.pack(len(payload)) + payload


def told(payload: bytes) -> Told:
    """What a service says. Raises FrameError."""
    try:
        message: Told = _told.decode(payload)
    except UNREADABLE as error:
        raise FrameError(f"not a message of the link: {error}") from None
    return message


def intent(payload: bytes) -> Intent:
    """What a screen asks for. Raises FrameError."""
    try:
        message: Intent = _intent.decode(payload)
    except UNREADABLE as error:
        raise FrameError(f"not a message of the link: {error}") from None
    return message


def length(head: bytes, most: int) -> int:
    """Bytes that follow this head. Raises FrameError where they are more than `most`."""
    size: int = LENGTH.unpack(head)[0]
    if size > most:
        raise FrameError(f"a frame of {size} bytes is longer than the {most} allowed")
    return size


async def receive(reader: asyncio.StreamReader, most: int) -> bytes | None:
    """The next frame's payload; None at the end. Raises FrameError where it is too long."""
    try:
        head = await reader.readexactly(LENGTH.size)
        return await reader.readexactly(length(head, most))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def read(stream: IO[bytes], most: int) -> bytes | None:
    """The same, for a thread that may wait."""
    head = stream.read(LENGTH.size)
    if head is None or len(head) < LENGTH.size:
        return None
    size = length(head, most)
    payload = stream.read(size)
    return payload if payload is not None and len(payload) == size else None
