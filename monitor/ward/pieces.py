"""Pieces of one bed's signal in order, as the intake hands them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.ward.events import ResetReason


@dataclass(frozen=True, slots=True)
class Begin:
    """What follows starts at sample `index` with empty memory. seconds: of signal that were lost before it."""

    index: int
    rate: float
    reason: ResetReason
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Signal:
    """Samples of the analysed lead from `index` on, mV: float32 [n]. lead_off: it gives no signal here."""

    index: int
    samples: NDArray[np.float32]
    lead_off: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of all leads for the screen: int16 [n, leads], ADU, each once and in order; and when they came.

    gain: ADU/mV, baseline: ADU. sent_ns, received_ns: nanoseconds since the epoch.
    """

    index: int
    samples: NDArray[np.int16]
    gain: list[float]
    baseline: list[float]
    sent_ns: int
    received_ns: int


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
