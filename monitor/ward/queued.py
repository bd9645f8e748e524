"""What of one bed's signal waits to be processed, in order."""

from __future__ import annotations

from collections import deque
from typing import Final

from monitor.ward.leading import Leading
from monitor.ward.owner import Chunk
from monitor.ward.pieces import Begin, End, Piece, Signal, joined

AT_ONCE_SECONDS: Final = 10.0


class Queued:
    """Pieces of signal that the ward has not taken yet, in order.

    begins: the first message of another stream, which waits until they have been taken. leading: which lead leads.
    """

    __slots__ = ("_backlog", "begins", "leading", "pieces")

    def __init__(self) -> None:
        self.pieces: deque[Piece] = deque()
        self._backlog = 0
        self.begins: Chunk | None = None
        self.leading = Leading()

    @property
    def rate(self) -> float:
        """Samples per second of the present stream."""
        raise NotImplementedError

    def take_begin(self) -> Begin | None:
        """The break that stands before all signal that waits, if there is one."""
        if self.pieces and isinstance(self.pieces[0], Begin):
            return self.pieces.popleft()  # type: ignore[return-value]
        return None

    def take_end(self) -> bool:
        """Is the stream over, with no signal of it waiting?."""
        if self.pieces and isinstance(self.pieces[0], End):
            self.pieces.popleft()
            return True
        return False

    def take_only(self) -> Signal | None:
        """`take_signal` where one signal waits and nothing else, as nearly always; None where that is not so."""
        if len(self.pieces) != 1 or not isinstance(only := self.pieces[0], Signal):
            return None
        self.leading.take(only)
        room, length = self.leading.room(only.index), len(only.samples)
        if length > AT_ONCE_SECONDS * self.rate or (room is not None and length > room):
            return None
        self.pieces.clear()
        self._backlog = 0
        return only

    def take_signal(self) -> Signal | None:
        """Signal up to the next break or change of a lead; None where none waits. Which lead leads it is up to date.

        It is of no more than AT_ONCE_SECONDS: a bed with a lot of signal keeps no other waiting.
        """
        parts: list[Signal] = []
        room = round(AT_ONCE_SECONDS * self.rate)
        while self.pieces and room:
            piece = self.pieces[0]
            if not isinstance(piece, Signal) or (parts and piece.kind != parts[0].kind):
                break
            if not parts:
                self.leading.take(piece)
                room = min(room, self.leading.room(piece.index) or room)
            if len(piece.samples) > room:
                self.pieces[0] = piece.part(room)
                piece = piece.part(0, room)
            else:
                self.pieces.popleft()
            parts.append(piece)
            room -= len(piece.samples)
            self._backlog -= len(piece.samples)
        return joined(parts) if parts else None

    def add(self, pieces: list[Piece]) -> None:
        """More that the ward is to take."""
        self.pieces.extend(pieces)
        self._backlog += sum(len(piece.samples) for piece in pieces if isinstance(piece, Signal))

    def drop(self) -> int:
        """Signal that waits goes, so many samples. What begins and ends stays: alarms must hear of it."""
        dropped, self._backlog = self._backlog, 0
        kept = [piece for piece in self.pieces if not isinstance(piece, Signal)]
        self.pieces.clear()
        self.pieces.extend(kept)
        return dropped
