"""Figures of RR intervals: heart rate variability, and the trend as a picture of blocks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import sqrt
from typing import Final

from monitor.link.protocol import BeatMark

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
LEAST_BEATS: Final = 10
HRV_SECONDS: Final = 300.0
LEAST_RANGE_MS: Final = 400.0


@dataclass(frozen=True, slots=True)
class Variability:
    """Heart rate variability over `count` intervals between normal beats, ms."""

    sdnn: float
    rmssd: float
    count: int


def variability(beats: list[BeatMark]) -> Variability | None:
    """SDNN and RMSSD of the intervals between neighbouring N beats; None with fewer than LEAST_BEATS of them.

    Source: Task Force of the ESC and NASPE, Circulation 93:1043-1065 (1996). RMSSD takes the differences of
    intervals that follow each other directly.
    """
    normal = [
        beat.rr_ms if beat.rr_ms is not None and beat.cls == "N" and before.cls == "N" else None
        for before, beat in itertools.pairwise(beats)
    ]
    known = [rr for rr in normal if rr is not None]
    steps = [b - a for a, b in itertools.pairwise(normal) if a is not None and b is not None]
    if len(known) < LEAST_BEATS or not steps:
        return None
    mean = sum(known) / len(known)
    sdnn = sqrt(sum((rr - mean) ** 2 for rr in known) / (len(known) - 1))
    return Variability(sdnn, sqrt(sum(step * step for step in steps) / len(steps)), len(known))


def trend(beats: list[BeatMark], columns: int, rows: int) -> tuple[list[list[tuple[str, str]]], float, float]:
    """RR intervals of the last beats as rows, top first, of (block, class), one column a beat; and the range in ms."""
    known = [(beat.rr_ms, beat.cls) for beat in beats[-columns:] if beat.rr_ms is not None]
    if not known:
        return [], 0.0, 0.0
    low, high = min(rr for rr, _ in known), max(rr for rr, _ in known)
    middle, span = (low + high) / 2, max(high - low, LEAST_RANGE_MS)
    bottom = max(middle - span / 2, 0.0)
    picture = []
    for row in range(rows - 1, -1, -1):
        line = []
        for rr, cls in known:
            eighths = round((rr - bottom) / span * (8 * rows - 1)) + 1
            line.append((BLOCKS[min(max(eighths - 8 * row, 0), 8)], cls))
        picture.append(line)
    return picture, bottom, bottom + span
