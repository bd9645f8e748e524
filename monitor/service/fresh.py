"""Messages as they came, before anybody has asked whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.wire.lots import Lot
from ecg.wire.packets import Arrival

Chunk = Lot | list[Arrival]
"""Messages that came together, in their order."""
OVERHEAD: Final = 512
"""Bytes that a message takes besides its payload: empty ones fill a memory too."""


def messages_of(chunk: Chunk, kept: NDArray[np.bool_] | None = None) -> list[Arrival]:
    """The messages, one by one: all, or those that are kept, bool [messages]."""
    if isinstance(chunk, Lot):
        return (chunk if kept is None else chunk._replace(table=chunk.table[kept])).arrivals()
    return chunk if kept is None else [*compress(chunk, kept.tolist())]


def topic_of(chunk: Chunk, row: int) -> str:
    """The topic of one message."""
    return chunk.topics.names[chunk.table[row, 0]] if isinstance(chunk, Lot) else chunk[row].topic


def part_of(chunk: Chunk, begin: int, end: int) -> Chunk:
    """The messages from one place to another."""
    return chunk._replace(table=chunk.table[begin:end]) if isinstance(chunk, Lot) else chunk[begin:end]


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
    count = len(chunk.table) if isinstance(chunk, Lot) else len(chunk)
    for begin in range(0, count, most):
        yield part_of(chunk, begin, begin + most)
