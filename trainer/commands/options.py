"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from ecg.errors import UserError
from ecg.model import weights
from ecg.model.device import pick_device
from ecg.model.network import BeatNet
from ecg.records import library
from trainer.data.preparing import fetch
from trainer.scoring.evaluation import Named, name_of_set, name_records


def add_device(parser: argparse.ArgumentParser) -> None:
    """--device."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def add_lead(parser: argparse.ArgumentParser) -> None:
    """--lead."""
    parser.add_argument("--lead", default="MLII", help="lead to analyse where a record has it, else its first")


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there too")


def add_fit(parser: argparse.ArgumentParser) -> None:
    """--set, --beats and --device, of every command that fits."""
    add_device(parser)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--beats", type=Path, help="file of cut beats (default: what `prepare` wrote)")


def add_evaluation(parser: argparse.ArgumentParser, verb: str) -> None:
    """Weights, records, lead and device of an evaluation. verb: its purpose, in the help of --records."""
    parser.add_argument(
        "weights", nargs="?", default="memory-gru", help="shipped weights, a file or a run (default: memory-gru)"
    )
    parser.add_argument("--records", default="ds2", help=f"records to {verb} on (default: ds2)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of annotated WFDB records, at any rate")
    add_lead(parser)
    add_device(parser)


def evaluated(
    chosen: argparse.Namespace, console: Console
) -> tuple[BeatNet, weights.Card, dict[str, dict[str, Named]], str]:
    """The evaluation of the options: network, card, beats by way and record, and the name of the set of records.

    Raises UserError for weights, a folder or records that are not there.
    """
    device = pick_device(chosen.device)
    net, card = weights.load(chosen.weights)
    if chosen.data and not chosen.data.is_dir():
        raise UserError(f"there is no folder {chosen.data}: give one that holds annotated WFDB records")
    names = library.find(chosen.records, chosen.data)
    if not chosen.data:
        fetch(names, console)
    found = name_records(net.to(device), names, console, chosen.data, chosen.lead)
    return net, card, found, name_of_set(names, chosen.data)
