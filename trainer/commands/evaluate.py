"""`python -m trainer evaluate`: score weights on records of patients never seen."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from ecg.files import write_atomic
from ecg.model import weights
from ecg.records import databases, library
from trainer.commands.prepare import fetch
from trainer.data.patients import Patients
from trainer.fitting.runs import device_of
from trainer.scoring.evaluation import WAYS, as_json, brief, name_records, what_is
from trainer.scoring.scores import SCORED

TITLES = {
    "reference_beats": "Beats at the annotated R-peaks",
    "end_to_end": "End to end: beats as our own detector finds them in the stream",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "weights", nargs="?", default="memory-gru", help="shipped weights, a file or a run (default: memory-gru)"
    )
    parser.add_argument(
        "--records", help="records to score on (default: ds2; with --data: those given for training, else all it holds)"
    )
    parser.add_argument(
        "--data", metavar="NAME|DIR", help="another annotated database: svdb, or a folder of WFDB records, at any rate"
    )
    parser.add_argument("--lead", default="MLII", help="lead to analyse where a record has it, else its first")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there too")
    parser.add_argument("--ship", metavar="NAME", help="put the scores into the card and ship the weights as NAME")


def run(chosen: argparse.Namespace) -> int:
    """Evaluate both ways and show the tables."""
    console = Console()
    device = device_of(chosen.device)
    net, card = weights.load(chosen.weights)
    names, where, what = records_of(chosen.records, chosen.data, console)
    begin = time.perf_counter()
    tree = as_json(name_records(net.to(device), names, console, where, chosen.lead))
    took = time.perf_counter() - begin
    if chosen.json:
        about = {"weights": card.name, "sha256": card.sha256, "seed": card.seed, "set": what, "seconds": round(took, 1)}
        write_atomic({chosen.json: msgspec.json.format(msgspec.json.encode({**tree, "about": about}), indent=2)})
    console.print(f"{card.name} (seed {card.seed}) on {what}; one lead, causal; {took:.0f} s")
    for way in WAYS:
        for table in tables(TITLES[way], tree[way]):
            console.print(table)
    show_random_split(card, console)
    if chosen.ship:
        net.to("cpu")
        metrics = {**card.metrics, "evaluation": {"set": what, **brief(tree)}}
        target = weights.SHIPPED / f"{chosen.ship}.safetensors"
        weights.save(target, net, msgspec.structs.replace(card, name=chosen.ship, metrics=metrics))
        console.print(f"shipped as {chosen.ship}")
    return 0


def records_of(wanted: str | None, data: str | None, console: Console) -> tuple[list[str], Path | None, str]:
    """Names of the records to score on, their folder (None: the library's), and the set in words.

    wanted: records by name, None for all that are meant. data: a database or folder, None for MIT-BIH's own. Raises
    UserError for what is not there.
    """
    if data is None:
        names = library.find(wanted or "ds2")
        fetch(names, console)
        return names, None, what_is(names, None)
    one = databases.database(data)
    if wanted is None and one.place is None:
        databases.demand_beats(one)
        fetch([one.full(record) for record in one.records], console, Patients((one,)))
        return list(one.records), one.folder, f"{len(one.records)} records of the {one.title}"
    names = library.find(wanted or "all", one.folder)
    return names, one.folder, what_is(names, one.folder)


def tables(title: str, part: dict[str, Any]) -> list[Table]:
    """The scores, the confusion matrix and the records of one evaluation."""
    return [_scores(title, part), _confusion(part), _records(part), _worst(part)]


def show_random_split(card: weights.Card, console: Console) -> None:
    """The number that flatters, under its own name."""
    flattering = card.metrics.get("random_split")
    if flattering:
        console.print(
            "For comparison only, a RANDOM SPLIT of beats, the same patients on both sides (it flatters; other "
            f"weights, same recipe): macro-F1 N,S,V {flattering['macro_f1_nsv']:.3f}, "
            f"S F1 {flattering['S']['f1']:.3f}, "
            f"V F1 {flattering['V']['f1']:.3f}, accuracy {flattering['accuracy']:.3f}",
            soft_wrap=True,
        )


def _scores(title: str, part: dict[str, Any]) -> Table:
    table = Table(title=f"{title}: {part['beats']} beats, % (95 % interval over records)")
    for name in ("class", "Se", "+P", "F1"):
        table.add_column(name, justify="left" if name == "class" else "right")
    bounds = part["intervals_95"]
    rows = [(name, name, part[name]) for name in SCORED]
    if part.get("S_without_232") and "232" in part["records"]:
        rows.insert(2, ("S without 232", "S_without_232", part["S_without_232"]))
    for title_of, key, values in rows:
        table.add_row(title_of, *(_with(values[k], bounds[f"{key}.{k}"]) for k in ("se", "ppv", "f1")))
    for name, values in part["ec57"].items():
        table.add_row(f"{name}, EC57's +P", *(_percent(values[k]) for k in ("se", "ppv", "f1")))
    table.add_section()
    for name, key in (
        ("accuracy", "accuracy"),
        ("macro-F1 N,S,V", "macro_f1_nsv"),
        ("macro-F1 N,S,V,F", "macro_f1_nsvf"),
    ):
        table.add_row(name, "", "", _with(part[key], bounds[key]))
    return table


def _confusion(part: dict[str, Any]) -> Table:
    classes = part["confusion"]["classes"]
    table = Table(title="Cardiologists' class by row, the network's by column")
    table.add_column("")
    for name in classes:
        table.add_column("missed" if name == "none" else name, justify="right")
    for name, row in zip(classes, part["confusion"]["reference_by_named"], strict=True):
        table.add_row("no beat" if name == "none" else name, *(str(n) for n in row))
    return table


def _records(part: dict[str, Any]) -> Table:
    table = Table(title="Record by record: all beats right, and Se/+P of each class, %")
    table.add_column("record")
    for name in ("beats", "right", *SCORED):
        table.add_column(name, justify="right")
    for name, one in part["records"].items():
        pairs = (f"{_percent(one[c]['se'])}/{_percent(one[c]['ppv'])}".strip("/") for c in SCORED)
        table.add_row(name, str(one["beats"]), _percent(one["accuracy"]), *pairs)
    return table


def _worst(part: dict[str, Any]) -> Table:
    table = Table(title="Most N misnamed")
    table.add_column("record")
    table.add_column("% of its N", justify="right")
    for one in part["most_N_misnamed"]:
        table.add_row(one["record"], _percent(one["share"]))
    return table


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _with(value: float | None, bounds: list[float | None]) -> str:
    low, high = bounds
    if value is None or low is None or high is None:
        return _percent(value)
    return f"{100 * value:.1f} ({100 * low:.0f} to {100 * high:.0f})"
