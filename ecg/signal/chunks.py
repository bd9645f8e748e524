"""Chunks of the signal of many leads, one behind the other, as compiled code takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

NOTHING: Final = np.zeros(0, np.float32)

Signal = NDArray[np.float32]
Signals = Sequence[Signal]
Joined = tuple[Signal, NDArray[np.int64]]
"""Chunks one behind the other, float32; and where each begins and the last ends."""


class Chunks(Sequence[Signal]):
    """Chunks that are joined already. flat: float32 [samples]; edges: int64 [chunks + 1], as in `Joined`."""

    __slots__ = ("edges", "flat")

    def __init__(self, flat: Signal, edges: NDArray[np.int64]) -> None:
        self.flat, self.edges = flat, edges

    @classmethod
    def of(cls, chunks: Signals) -> Chunks:
        """These chunks, joined."""
        return chunks if isinstance(chunks, cls) else cls(*_joined(chunks))

    def __len__(self) -> int:
        return len(self.edges) - 1

    @overload
    def __getitem__(self, place: int) -> Signal: ...
    @overload
    def __getitem__(self, place: slice) -> list[Signal]: ...
    def __getitem__(self, place: int | slice) -> Signal | list[Signal]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        return self.flat[self.edges[place] : self.edges[place + 1]]

    def __iter__(self) -> Iterator[Signal]:
        edges = self.edges.tolist()
        return (self.flat[begin:end] for begin, end in pairwise(edges))

    def split(self, first: int) -> tuple[Chunks, Chunks]:
        """The first so many, and the others."""
        edges = self.edges
        at = edges[first]
        return Chunks(self.flat[:at], edges[: first + 1]), Chunks(self.flat[at:], edges[first:] - at)

    def behind(self, chunks: Signals) -> Chunks:
        """These, and others behind them."""
        if not len(chunks):
            return self
        other = Chunks.of(chunks)
        if not len(self):
            return other
        edges = np.concatenate((self.edges, self.edges[-1] + other.edges[1:]))
        return Chunks(np.concatenate((self.flat, other.flat)), edges)


def longest(chunks: Signals) -> int:
    """Samples of the longest chunk, 0 where there is none."""
    if isinstance(chunks, Chunks):
        return int(np.diff(chunks.edges).max(initial=0))
    return max(map(len, chunks), default=0)


def some(chunks: Signals, rows: NDArray[np.int64]) -> Signals:
    """The chunks in these places."""
    if not isinstance(chunks, Chunks):
        return [chunks[row] for row in rows.tolist()]
    begins, lengths = chunks.edges[:-1][rows], np.diff(chunks.edges)[rows]
    edges = _edges(lengths)
    places = np.arange(edges[-1]) + np.repeat(begins - edges[:-1], lengths)
    return Chunks(chunks.flat[places], edges)


def joined(chunks: Signals) -> Joined:
    """Chunks one behind the other."""
    return (chunks.flat, chunks.edges) if isinstance(chunks, Chunks) else _joined(chunks)


def _joined(chunks: Signals) -> Joined:
    edges = _edges(np.fromiter(map(len, chunks), np.int64, len(chunks)))
    return np.concatenate([NOTHING, *chunks], dtype=np.float32, casting="same_kind"), edges


def _edges(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    edges = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=edges[1:])
    return edges
