"""The R-peak detector scored against the annotations, beside the offline detector of sleepecg."""

from __future__ import annotations

from typing import Any

import numpy as np
import sleepecg
from rich.table import Table

from ecg.records.ec57 import Score, match, match_window, score
from ecg.records.record import Record
from trainer.data.cutting import CutRecord, reference_of


def score_of(found: CutRecord) -> Score:
    """Our detector on one record; ventricular flutter, a span without annotated beats, is left out (EC57)."""
    reference = found.reference
    test = found.index[reference.outside_flutter(found.index)]
    known = reference.index[reference.outside_flutter(reference.index)]
    return score(*match(known, test, match_window(reference.rate)))


def sleepecg_score(record: Record) -> Score:
    """The offline detector of sleepecg, on the first lead of the whole record; flutter is not left out."""
    reference = reference_of(record)
    signal = record.millivolts(0).astype(np.float64)
    test = np.asarray(sleepecg.detect_heartbeats(signal, record.rate), np.int64)
    return score(*match(reference.index, np.unique(test), match_window(record.rate)))


def as_json(ours: dict[str, Score], theirs: dict[str, Score]) -> dict[str, Any]:
    """Scores by record and in total, 0 to 1."""
    return {**_tree(ours), "sleepecg_first_lead": _tree(theirs)}


def _tree(scores: dict[str, Score]) -> dict[str, Any]:
    return {
        "total": _pair(sum(scores.values(), Score(0, 0, 0))),
        "records": {name: _pair(one) for name, one in scores.items()},
    }


def _pair(one: Score) -> dict[str, float]:
    return {"se": one.sensitivity, "ppv": one.predictivity}


def table(ours: dict[str, Score], theirs: dict[str, Score], of: str) -> Table:
    """Both detectors, record by record. of: the records in a few words."""
    made = Table(title=f"R-peaks of {of} found against the annotations, 150 ms window")
    for title in ("record", "beats", "missed", "false", "Se %", "+P %", "sleepecg Se %", "sleepecg +P %"):
        made.add_column(title, justify="right")
    total = sum(ours.values(), Score(0, 0, 0)), sum(theirs.values(), Score(0, 0, 0))
    rows = [(name, ours[name], theirs[name]) for name in ours]
    for name, one, other in [*rows, ("total", *total)]:
        made.add_row(
            name,
            str(one.found + one.missed),
            str(one.missed),
            str(one.false),
            *(f"{100 * x:.2f}" for x in (one.sensitivity, one.predictivity)),
            *(f"{100 * x:.2f}" for x in (other.sensitivity, other.predictivity)),
            style="bold" if name == "total" else "",
        )
    return made
