"""`python -m trainer detector`: sensitivity and positive predictivity of the R-peak detector."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.progress import track

from ecg.files import write_json
from ecg.records import library
from ecg.records.ec57 import Score
from trainer.commands import options
from trainer.data.cutting import TOGETHER, cut
from trainer.scoring import detection


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--records", help="records to score (default: all 48; with --data: those given for training)")
    options.add_data(parser)
    options.add_lead(parser)
    options.add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Score both detectors and show them side by side."""
    console = Console()
    names, folder, title = options.record_set(chosen.records, chosen.data, console, "all")
    ours: dict[str, Score] = {}
    theirs: dict[str, Score] = {}
    blocks = [names[i : i + TOGETHER] for i in range(0, len(names), TOGETHER)]
    for block in track(blocks, "detecting", console=console, transient=True):
        records = [library.read(name, folder) for name in block]
        for record, found in zip(records, cut(records, "detector", lead=chosen.lead), strict=True):
            ours[record.name] = detection.score_of(found)
            theirs[record.name] = detection.sleepecg_score(record)
    if chosen.json:
        write_json(chosen.json, detection.as_json(ours, theirs))
    console.print(detection.table(ours, theirs, title))
    return 0
