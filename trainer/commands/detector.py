"""`python -m trainer detector`: how many heartbeats the R-peak detector finds, and how many it makes up."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import sleepecg
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ecg.files import write_atomic
from ecg.records import library
from ecg.records.ec57 import Score, match, match_window, score
from ecg.records.record import Record
from trainer.commands.prepare import fetch
from trainer.data.cutting import TOGETHER, CutRecord, cut, reference_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--records", default="all", help="records to score (default: all 48)")
    parser.add_argument("--lead", default="MLII", help="lead to analyse where a record has it, else its first")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there too")


def run(chosen: argparse.Namespace) -> int:
    """Score both detectors and show them side by side."""
    console = Console()
    names = library.find(chosen.records)
    fetch(names, console)
    ours: dict[str, Score] = {}
    theirs: dict[str, Score] = {}
    blocks = [names[i : i + TOGETHER] for i in range(0, len(names), TOGETHER)]
    for block in track(blocks, "detecting", console=console, transient=True):
        records = [library.read(name) for name in block]
        for record, found in zip(records, cut(records, "detector", lead=chosen.lead), strict=True):
            ours[record.name] = score_of(found)
            theirs[record.name] = sleepecg_score(record)
    if chosen.json:
        write_atomic({chosen.json: msgspec.json.format(msgspec.json.encode(as_json(ours, theirs)), indent=2)})
    console.print(_table(ours, theirs))
    return 0


def score_of(found: CutRecord) -> Score:
    """Our detector on one record; ventricular flutter, where no beats are annotated, is left out (EC57)."""
    reference = found.reference
    test = found.index[reference.outside_flutter(found.index)]
    known = reference.index[reference.outside_flutter(reference.index)]
    return score(*match(known, test, match_window(reference.rate)))


def sleepecg_score(record: Record) -> Score:
    """The offline detector of sleepecg, on the first lead of the whole record; flutter is not left out."""
    reference = reference_of(record)
    signal = record.millivolts(0).astype(np.float64)
    test = np.asarray(sleepecg.detect_heartbeats(signal, record.rate), np.int64)  # type: ignore[attr-defined]
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


def _table(ours: dict[str, Score], theirs: dict[str, Score]) -> Table:
    """Both detectors, record by record."""
    table = Table(title="R-peaks found against the annotations, 150 ms window")
    for title in ("record", "beats", "missed", "false", "Se %", "+P %", "sleepecg Se %", "sleepecg +P %"):
        table.add_column(title, justify="right")
    total = sum(ours.values(), Score(0, 0, 0)), sum(theirs.values(), Score(0, 0, 0))
    rows = [(name, ours[name], theirs[name]) for name in ours]
    for name, one, other in [*rows, ("total", *total)]:
        table.add_row(
            name,
            str(one.found + one.missed),
            str(one.missed),
            str(one.false),
            *(f"{100 * x:.2f}" for x in (one.sensitivity, one.predictivity)),
            *(f"{100 * x:.2f}" for x in (other.sensitivity, other.predictivity)),
            style="bold" if name == "total" else "",
        )
    return table
