"""Gaps of a recording: stretches of which nothing came. In other records a missing sample says what its maker meant."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from ecg.files import read_text
from ecg.records.record import MISSING, Record
from ecg.records.wfdb_signals import MOST_HEADER

RECORDED: Final = "recording"
"""The source of records that the monitor's recorder made."""
MADE_BY: Final = "recorded by ecg-monitor-simulator"
"""The comment in their header that says so."""


def source(path: Path) -> str:
    """The source of a WFDB record: "recording" where its header says that the recorder made it, else "wfdb"."""
    try:
        text = read_text(path.with_name(f"{path.name}.hea"), MOST_HEADER, "replace")
    except OSError:
        return "wfdb"
    return RECORDED if any(line[1:].strip() == MADE_BY for line in text.splitlines() if line[:1] == "#") else "wfdb"


def gaps(record: Record) -> list[tuple[int, int]]:
    """[begin, end) of every gap, in order: no lead has a sample there. None in a record of another source."""
    if record.source != RECORDED:
        return []
    gone = (record.samples == MISSING).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], gone, [False])).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
