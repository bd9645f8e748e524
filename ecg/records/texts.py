"""Annotations of files that know only texts: a beat's symbol ("N", "V", ...) or a rhythm ("(AFIB"), each at a place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from ecg.records.aami import CLASS_OF
from ecg.records.record import Annotations

LARGEST: Final = 1 << 53
"""Sample at most."""


def notes_of(marks: Iterable[tuple[float, str]]) -> Annotations | None:
    """Those texts that name beats or rhythms; None where none does.

    marks: sample and text, in order. What is at no sample, such as NaN, is left out.
    """
    index, symbols, rhythms, rhythm = [], [], [], ""
    for place, text in marks:
        if text.startswith("("):
            rhythm = text
        elif text not in CLASS_OF:
            continue
        if not abs(place) <= LARGEST:
            continue
        index.append(round(place))
        symbols.append("+" if text.startswith("(") else text)
        rhythms.append(rhythm)
    if not index:
        return None
    return Annotations(np.array(index, np.int64), np.array(symbols, np.str_), np.array(rhythms, np.str_))
