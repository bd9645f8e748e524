"""Annotations as WFDB's annotation files hold them: two bytes each, the interval from the one before and a code.

Format: https://physionet.org/physiotools/wag/annot-5.htm. Intervals that do not fit ten bits are written as a skip,
texts as an auxiliary string. A file ends in two bytes of 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

CODES: Final = {
    symbol: code
    for code, symbol in enumerate(("", *"NLRaVFJASEj/Q~", "", "|", "", *'sT*D"=pB^t+u?![]en@xf()r'))
    if symbol
}
"""Annotation codes by their symbols."""
NOTE: Final = '"'
SKIP: Final = 59
AUXILIARY: Final = 63
END: Final = b"\0\0"
LONGEST_NOTE: Final = 254
LONGEST_SKIP: Final = (1 << 31) - 1


class Mark(NamedTuple):
    """One annotation. sample: index within the record. symbol: as in `CODES`. note: text beside it."""

    sample: int
    symbol: str
    note: str = ""


def encode(marks: Iterable[Mark], before: int) -> bytes:
    """Marks in order of their samples as they follow an annotation at sample `before` (0 at the start of a file)."""
    parts: list[bytes] = []
    for mark in marks:
        interval = mark.sample - before
        while not 0 <= interval <= 1023:
            step = max(-LONGEST_SKIP, min(interval, LONGEST_SKIP))
            parts.append(struct.pack("<HHH", SKIP << 10, (step >> 16) & 0xFFFF, step & 0xFFFF))
            interval -= step
        parts.append(struct.pack("<H", CODES[mark.symbol] << 10 | interval))
        if mark.note:
            text = mark.note.encode("ascii", "replace")[:LONGEST_NOTE]
            parts.append(struct.pack("<H", AUXILIARY << 10 | len(text)) + text + b"\0" * (len(text) % 2))
        before = mark.sample
    return b"".join(parts)
