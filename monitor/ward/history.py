"""The last minutes of one bed: signal, beats and annotations.

The signal lies in a few large pieces: a thousand beds must not be millions of objects.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.records.record import MISSING
from ecg.wire.messages import SIMULATED, TruthMark, rows_of
from monitor.ward.events import BeatRead
from monitor.ward.pieces import Block

KEPT_SECONDS: Final = 600.0
KEPT_BEDS: Final = 128
"""With more beds than that, each keeps less, so that all of it fits the same memory."""
KEPT_AT_LEAST: Final = 15.0

SEGMENT: Final = 2048
"""Samples in one piece."""
WRITTEN: Final = 16
"""Blocks that are written together."""
MOST_NOTES: Final = 8192
"""Annotations kept: ten minutes of thirteen a second."""
NOTES_AHEAD: Final = 1 << 17
"""An annotation that is further ahead of the signal says nothing of it."""
MOST_MADE: Final = 64
LONGEST_GAP: Final = 1 << 17
"""A gap longer than that is not kept as missing samples: what came before it is forgotten."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From sample `index` on: gain in ADU/mV and baseline in ADU, by lead."""

    index: int
    gain: list[float]
    baseline: list[float]


@dataclass(slots=True)
class Recent:
    """Samples [first, next) of all leads, int16 ADU; MISSING where nothing came.

    Blocks are written into the segments WRITTEN at a time, or when somebody asks: nobody looks at most beds.
    """

    first: int = 0
    next: int = 0
    _segments: deque[NDArray[np.int16]] = field(default_factory=deque)
    _scales: list[Scale] = field(default_factory=list)
    _unwritten: list[bytes] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Keep a block. Blocks come in order, each sample once."""
        count = len(block)
        if block.index != self.next or not self._scales:
            self._leap(block)
        last = self._scales[-1]
        if last.gain != block.gain or last.baseline != block.baseline:
            self._scales.append(Scale(block.index, block.gain, block.baseline))
        self.extend(block.codes, count)

    def extend(self, codes: bytes, count: int) -> None:
        """Keep so many samples that follow, of the last block's leads, gain and baseline."""
        self._unwritten.append(codes)
        self.next += count
        if len(self._unwritten) >= WRITTEN or count >= SEGMENT // WRITTEN:
            self._write()

    def _leap(self, block: Block) -> None:
        """Samples are missing before a block, or it is the first."""
        self._write()
        if not self._segments or block.index - self.next > LONGEST_GAP:
            self._segments.clear()
            self._scales = [Scale(block.index, block.gain, block.baseline)]
            self.first = self.next = block.index
        elif block.index > self.next:
            self._unwritten.append(np.full((block.index - self.next) * len(block.gain), MISSING, "<i2").tobytes())
            self.next = block.index

    def _write(self) -> None:
        """Put what has come into the segments."""
        if not self._unwritten:
            return
        samples = rows_of(b"".join(self._unwritten), len(self._scales[-1].gain))
        self._unwritten.clear()
        place, done = self.next - self.first - len(samples), 0
        while done < len(samples):
            if place == SEGMENT * len(self._segments):
                self._segments.append(np.empty((SEGMENT, samples.shape[1]), np.int16))
            row = place % SEGMENT
            count = min(SEGMENT - row, len(samples) - done)
            self._segments[-1][row : row + count] = samples[done : done + count]
            place += count
            done += count

    def trim(self, before: int) -> None:
        """Forget whole pieces that lie before sample `before`."""
        self._write()
        while len(self._segments) > 1 and self.first + SEGMENT <= before:
            self._segments.popleft()
            self.first += SEGMENT
        while len(self._scales) > 1 and self._scales[1].index <= self.first:
            del self._scales[0]

    def strips(self, since: int) -> list[tuple[int, NDArray[np.float32]]]:
        """Everything from sample `since` on as (index, samples): float32 [n, leads], mV, one part for each scale."""
        begin = max(since, self.first)
        made = []
        for number, scale in enumerate(self._scales):
            start = max(begin, scale.index)
            end = self._scales[number + 1].index if number + 1 < len(self._scales) else self.next
            if start < end:
                made.append((start, millivolts(self._read(start, end), scale)))
        return made

    def _read(self, start: int, end: int) -> NDArray[np.int16]:
        self._write()
        parts = []
        while start < end:
            number, row = divmod(start - self.first, SEGMENT)
            count = min(SEGMENT - row, end - start)
            parts.append(self._segments[number][row : row + count])
            start += count
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def millivolts(samples: NDArray[np.int16], scale: Scale) -> NDArray[np.float32]:
    """Samples in mV: float32 [n, leads]; NaN where they are missing."""
    scaled = (samples - np.asarray(scale.baseline)) / np.asarray(scale.gain)
    return np.where(samples == np.int16(MISSING), np.nan, scaled).astype(np.float32)


class Made(NamedTuple):
    """Samples [begin, end) whose record says that they are made up, and what they show."""

    begin: int
    end: int
    what: str


@dataclass(slots=True)
class History:
    """The last minutes of one stream. made: stretches of it that are simulated.

    first_beat, first_note: how many have been dropped at the front since the stream began.
    """

    signal: Recent = field(default_factory=Recent)
    beats: deque[BeatRead] = field(default_factory=deque)
    notes: deque[TruthMark] = field(default_factory=deque)
    made: deque[Made] = field(default_factory=lambda: deque(maxlen=MOST_MADE))
    first_beat: int = 0
    first_note: int = 0

    def add(self, block: Block) -> None:
        """Keep a block. Blocks come in order, each sample once."""
        self.signal.add(block)
        self._mark(block.index, len(block), block.record)

    def extend(self, index: int, count: int, codes: bytes, record: str) -> None:
        """Keep so many samples from the next index on, of blocks that are like the last one."""
        self.signal.extend(codes, count)
        self._mark(index, count, record)

    def _mark(self, index: int, count: int, record: str) -> None:
        """Note whether these samples are made up."""
        if not record.startswith(SIMULATED):
            return
        end, what = index + count, record.removeprefix(SIMULATED)
        last = self.made[-1] if self.made else None
        if last and last.end == index and last.what == what:
            self.made[-1] = last._replace(end=end)
        else:
            self.made.append(Made(index, end, what))

    def note(self, marks: list[TruthMark]) -> None:
        """Keep annotations; where they are too many, the oldest go."""
        limit = self.signal.next + NOTES_AHEAD
        self.notes.extend(mark for mark in marks[-MOST_NOTES:] if mark.index <= limit)
        while len(self.notes) > MOST_NOTES:
            self.notes.popleft()
            self.first_note += 1

    def trim(self, before: int) -> None:
        """Forget what lies before sample `before`."""
        self.signal.trim(before)
        while self.beats and self.beats[0].index < before:
            self.beats.popleft()
            self.first_beat += 1
        while self.notes and self.notes[0].index < before:
            self.notes.popleft()
            self.first_note += 1
        while self.made and self.made[0].end < before:
            self.made.popleft()


def kept_seconds(beds: int) -> float:
    """How much each of so many beds keeps, seconds."""
    return max(KEPT_SECONDS * min(1.0, KEPT_BEDS / max(beds, 1)), KEPT_AT_LEAST)
