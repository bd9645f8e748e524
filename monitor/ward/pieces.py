"""Pieces of one bed's signal in order, as the intake hands them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecg.wire.messages import rows_of
from monitor.ward.events import ResetReason


@dataclass(frozen=True, slots=True)
class Begin:
    """What follows starts at sample `index` with empty memory. seconds: of signal that were lost before it.

    lead: the one lead (0 or 1) that begins anew while the other goes on; None where all of the bed does.
    """

    index: int
    rate: float
    reason: ResetReason
    seconds: float = 0.0
    lead: int | None = None


class Signal(msgspec.Struct, frozen=True):
    """Samples from `index` on, mV: float32 [n]. lead_off: the lead gives no signal here.

    samples: of the first lead. second: of the second one, None where there is none. pulses: each in its own unit.
    """

    index: int
    samples: NDArray[np.float32]
    lead_off: bool = False
    second: NDArray[np.float32] | None = None
    second_off: bool = False
    pulses: tuple[NDArray[np.float32], ...] = ()

    def part(self, begin: int, end: int | None = None) -> Signal:
        """Some of the samples."""
        some = slice(begin, end)
        return Signal(
            self.index + begin,
            self.samples[some],
            self.lead_off,
            None if self.second is None else self.second[some],
            self.second_off,
            tuple(pulse[some] for pulse in self.pulses),
        )

    @property
    def kind(self) -> tuple[bool, bool, bool, int]:
        """Signals of another kind are not joined: (first off, second off, there is a second, pulses)."""
        return self.lead_off, self.second_off, self.second is not None, len(self.pulses)


def joined(parts: list[Signal]) -> Signal:
    """Signals of one kind that follow one another, as one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Signal(
        first.index,
        np.concatenate([one.samples for one in parts]),
        first.lead_off,
        None if first.second is None else np.concatenate([one.second for one in parts if one.second is not None]),
        first.second_off,
        tuple(np.concatenate([one.pulses[at] for one in parts]) for at in range(len(first.pulses))),
    )


class Block(msgspec.Struct, frozen=True):
    """Samples of all leads for the screen, each once and in order, and when they came.

    codes: int16 little-endian, row by row, ADU. gain: ADU/mV, or of the lead's unit; baseline: ADU; one for each lead.
    units, record: as in Wave. sent_ns, received_ns: nanoseconds since the epoch.
    """

    index: int
    codes: bytes
    gain: list[float]
    baseline: list[float]
    sent_ns: int
    received_ns: int
    units: list[str] = []
    record: str = ""

    @property
    def samples(self) -> NDArray[np.int16]:
        """Int16 [n, leads] (a view)."""
        return rows_of(self.codes, len(self.gain))

    def __len__(self) -> int:
        return len(self.codes) // (2 * len(self.gain))


class Taken(NamedTuple):
    """Blocks of one stream of a bed as the ward takes them, in order."""

    bed: str
    stream: str
    record: str
    rate: float
    leads: list[str]
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class End:
    """No more samples of this stream will come."""


Piece = Begin | Signal | End
