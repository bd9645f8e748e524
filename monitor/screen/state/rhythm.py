"""Figures of RR intervals: heart rate variability, and the trend as a picture of blocks."""

from __future__ import annotations

from typing import Final

from monitor.link.protocol import BeatMark

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
HRV_SECONDS: Final = 300.0
LEAST_RANGE_MS: Final = 400.0


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
