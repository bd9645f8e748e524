"""Which record the samples and events of a bed belong to.

A lane is one stream of one bed. It has one record, and another where its scale changes, where it begins anew, after a
gap that is not worth filling, and where the record has become too long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import clock
from ecg.records.gaps import MADE_BY
from ecg.records.growing import BEGUN, KINDS, GrowingRecord
from ecg.records.record import MISSING
from monitor.service.recorder.rows import Place
from monitor.ward.events import Event, MemoryReset, ResetReason
from monitor.ward.pieces import Block, Taken

FILLED_SECONDS: Final = 600.0
"""A longer gap is not filled with missing samples: another record begins behind it."""
LONGEST_NAME: Final = 64
SILENT_SECONDS: Final = 600.0
"""A lane to which nothing came for so long is closed."""
LEFT_SECONDS: Final = 10.0
"""A lane whose bed has gone on to another stream is closed after so long."""


@dataclass(slots=True)
class Part:
    """A record of a lane: its number, its first sample in the stream, and which beginning of the stream it is of."""

    bed: str
    number: int
    first: int
    turn: int
    record: GrowingRecord
    scale: tuple[list[float], list[float], list[str]]
    rows: list[NDArray[np.int16]] = field(default_factory=list)
    next: int = 0
    """The sample of the stream that it needs next."""

    def add(self, block: Block) -> None:
        """Keep a block for the next `flush`, and missing samples where there is a gap before it."""
        if block.index > self.next:
            self.rows.append(np.full((block.index - self.next, len(block.gain)), MISSING, np.int16))
        self.rows.append(block.samples)
        self.next = block.index + len(block)

    def flush(self) -> int:
        """Write what has been kept; returns its samples. Raises OSError: then it is lost."""
        rows, self.rows = self.rows, []
        if not rows:
            return 0
        whole = rows[0] if len(rows) == 1 else np.concatenate(rows)
        self.record.append(whole)
        return len(whole)


@dataclass(slots=True)
class Lane:
    """One stream of one bed. turn: how often the events say that it began anew. heard_s: when something last came."""

    parts: list[Part] = field(default_factory=list)
    turn: int = 0
    heard_s: float = 0.0
    left: bool = False

    def place(self, index: int) -> Part | None:
        """The part that a sample of the stream is in; None where it is in none."""
        found = [part for part in self.parts if part.turn == self.turn and part.first <= index]
        return found[-1] if found else None

    def note(self, event: Event) -> None:
        """Keep up with a stream that begins anew."""
        if isinstance(event, MemoryReset) and event.reason is ResetReason.RESTARTED:
            self.turn += 1


def where(part: Part | None) -> Place:
    """As rows want it."""
    return Place(None, 0) if part is None else Place(part.number, part.first)


def fits(part: Part, block: Block, longest: int, fill: int) -> bool:
    """Can a block be added to a part? longest: samples of a record. fill: samples of a gap."""
    return part.scale == _scale(block) and 0 <= block.index - part.next <= fill and part.next - part.first < longest


def begin(folder: Path, taken: Taken, block: Block, number: int, turn: int) -> Part:
    """A new part whose first sample is the block's; its files are made. Raises OSError."""
    begun = datetime.fromtimestamp((block.received_ns + clock.stepped_ns()) / 1e9 if block.received_ns else 0, UTC)
    name = next(name for name in names(taken.bed, begun) if not _is_there(folder, name))
    comments = (
        f"{BEGUN}{begun.isoformat(timespec='milliseconds')}",
        f" bed: {taken.bed}",
        f" stream: {taken.stream}",
        f" record: {taken.record}",
        f" first sample of the stream: {block.index}",
        f" {MADE_BY}",
        " letters by a program, alarms as notes; for research and education only",
    )
    record = GrowingRecord(
        folder=folder,
        name=name,
        rate=taken.rate,
        leads=tuple(taken.leads),
        gain=tuple(block.gain),
        baseline=tuple(block.baseline),
        units=tuple(block.units),
        begun_s=begun.timestamp(),
        comments=comments,
    )
    record.create()
    return Part(taken.bed, number, block.index, turn, record, _scale(block), next=block.index)


def names(bed: str, begun: datetime) -> Iterator[str]:
    """Names of records, best first: letters, digits and _ only, as WFDB wants them."""
    after = f"_{begun:%Y%m%d_%H%M%S}"
    stem = bed.replace("-", "_")[: LONGEST_NAME - len(after) - 5] + after
    yield stem
    for more in range(2, 10_000):
        yield f"{stem}_{more}"


def _is_there(folder: Path, name: str) -> bool:
    return any((folder / f"{name}.{kind}").exists() for kind in KINDS)


def _scale(block: Block) -> tuple[list[float], list[float], list[str]]:
    return block.gain, block.baseline, block.units
