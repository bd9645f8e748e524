"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from ecg import programs
from ecg.model import network, weights
from ecg.model.device import pick_device
from ecg.model.network import BeatNet
from ecg.records import databases, library
from ecg.records.patients import Patients
from trainer.data.preparing import fetch
from trainer.scoring.evaluation import Named, name_of_set, name_records


def add_device(parser: argparse.ArgumentParser) -> None:
    """--device."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def add_lead(parser: argparse.ArgumentParser) -> None:
    """--lead."""
    parser.add_argument("--lead", default="MLII", help="lead to analyse where a record has it, else its first")


def add_data(parser: argparse.ArgumentParser) -> None:
    """--data."""
    parser.add_argument(
        "--data", metavar="NAME|DIR", help="another annotated database: svdb, or a folder of WFDB records, at any rate"
    )


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
    parser.add_argument(
        "--records",
        help=f"records to {verb} on (default: ds2; with --data: the database's records given for training, or all "
        "records of the folder)",
    )
    add_data(parser)
    add_lead(parser)
    parser.add_argument(
        "--leads",
        type=programs.whole("--leads", 1, 2),
        default=1,
        help="2: read another lead beside that one, where a record has one, as the monitor does (default: 1)",
    )
    add_device(parser)


def evaluated(
    chosen: argparse.Namespace, console: Console
) -> tuple[BeatNet, weights.Card, dict[str, dict[str, Named]], str]:
    """The evaluation of the options: network, card, beats by way and record, and the name of the set of records.

    Raises UserError for weights, a folder or records that are not there.
    """
    device = pick_device(chosen.device)
    net, card = network.load(chosen.weights)
    names, folder, title = record_set(chosen.records, chosen.data, console)
    found = name_records(net.to(device), names, console, folder, chosen.lead, chosen.leads, card.doubt)
    return net, card, found, title


def folder_of(data: str | None) -> Path | None:
    """The folder meant by --data (None: the library's)."""
    return None if data is None else databases.database(data).folder


def record_set(
    wanted: str | None, data: str | None, console: Console, default: str = "ds2"
) -> tuple[list[str], Path | None, str]:
    """Names of the records to score on, their folder (None: the library's), and the name of the set.

    wanted: records by name, None for the default set. data: a database or folder, None for MIT-BIH's own. default:
    the set meant where neither is given.
    """
    if data is None:
        names = library.find(wanted or default)
        fetch(names, console)
        return names, None, name_of_set(names, None)
    one = databases.database(data)
    if wanted is None and one.place is None:
        databases.demand_beats(one)
        fetch([one.full(record) for record in one.records], console, Patients((one,)))
        return list(one.records), one.folder, f"{len(one.records)} records of the {one.title}"
    names = library.find(wanted or "all", one.folder)
    return names, one.folder, name_of_set(names, one.folder)
