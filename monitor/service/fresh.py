"""Messages as they came, before anybody has asked whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ecg.wire.lots import Lot
from ecg.wire.packets import Arrival

Chunk = Lot | list[Arrival]
"""Messages that came together, in their order."""
OVERHEAD: Final = 512
"""Bytes that a message takes besides its payload: empty ones fill a memory too."""


def messages_of(chunk: Chunk) -> list[Arrival]:
    """The messages, one by one."""
    return chunk.arrivals() if isinstance(chunk, Lot) else chunk


def size_of(chunk: Chunk) -> int:
    """Bytes that it takes."""
    if isinstance(chunk, Lot):
        return len(chunk.data) + OVERHEAD * len(chunk.table)
    return sum(len(one.payload) for one in chunk) + OVERHEAD * len(chunk)


def came_ns(chunk: Chunk) -> int:
    """When its messages were received."""
    return chunk.received_ns if isinstance(chunk, Lot) else chunk[0].received_ns


def parts_of(chunk: Chunk, most: int) -> Iterator[Chunk]:
    """The same in pieces of so many messages at most."""
    if isinstance(chunk, Lot):
        for begin in range(0, len(chunk.table), most):
            yield chunk._replace(table=chunk.table[begin : begin + most])
    else:
        for begin in range(0, len(chunk), most):
            yield chunk[begin : begin + most]
