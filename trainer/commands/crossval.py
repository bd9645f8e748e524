"""`python -m trainer crossval`: score a recipe by records held out whole. Every choice is made by this.

Each fold of whole patients is held out once (ecg.records.databases); the scores stand apart for each database.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ecg.files import write_atomic
from trainer.commands.prepare import cuts_for, ensure
from trainer.data.patients import patients
from trainer.data.streams import Cuts
from trainer.fitting.fitting import Fitting
from trainer.fitting.runs import device_of
from trainer.recipes import RECIPES, Recipe, recipe_of
from trainer.scoring import scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.naming import probabilities

WORST = "most_N_misnamed"
SHOWN = ("macro_f1_nsv", "S.se", "S.ppv", "S.f1", "V.se", "V.ppv", "V.f1", "N.f1", "F.f1", WORST)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--recipe", default="memory", choices=list(RECIPES), help="what to fit (default: memory)")
    parser.add_argument("--cell", choices=("gru", "lstm", "rnn"), help="recurrent cell (default: the recipe's)")
    parser.add_argument("--seeds", type=int, default=3, help="fit with this many seeds (default: 3)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--beats", type=Path, help="file of cut beats (default: what `prepare` wrote)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there too")


def run(chosen: argparse.Namespace) -> int:
    """Fit each fold and seed, and show the scores over all held-out records."""
    console = Console()
    device = device_of(chosen.device)
    given = {"cell": chosen.cell} if chosen.cell else {}
    recipe = recipe_of(chosen.recipe, chosen.overrides, **given)
    among = patients(recipe.data)
    cuts = cuts_for(recipe, ensure(chosen.beats, among.names, console, among), among.names, console)
    begin = time.perf_counter()
    results: dict[str, dict[str, list[dict[str, float]]]] = {
        one.name: {way: [] for way in WAYS} for one in among.databases
    }
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bars:
        total = chosen.seeds * len(among.folds) * recipe.epochs
        task = bars.add_task(f"{recipe.name} ({recipe.cell})", total=total)
        for seed in range(chosen.seeds):
            tables: dict[str, dict[str, scores.Table]] = {way: {} for way in WAYS}
            for fold in among.folds:
                one = msgspec.structs.replace(recipe, hold_out=fold, seed=seed)
                for way, found in held_out(one, cuts, device, lambda: bars.advance(task)).items():
                    tables[way] |= found
            for way, by_name in tables.items():
                for database in among.databases:
                    mine = {full: by_name[full] for full in map(database.full, database.records)}
                    results[database.name][way].append(scored(mine))
    took = time.perf_counter() - begin
    if chosen.json:
        tree: dict[str, Any] = {"recipe": recipe, "seconds": round(took, 1), **results}
        write_atomic({chosen.json: msgspec.json.format(msgspec.json.encode(tree), indent=2)})
    for database in among.databases:
        known = "DS1" if database.name == "mitdb" else f"{len(database.records)} records of {database.name}"
        title = (
            f"{recipe.name} ({recipe.cell}): {known} in {len(database.folds)} parts, each held out whole; {took:.0f} s"
        )
        table = Table(title=f"{title}; %, mean and spread of {chosen.seeds} seeds")
        table.add_column("")
        for name in WAYS:
            table.add_column(name.replace("_", " "), justify="right")
        for name in SHOWN:
            cells = (spread([one[name] for one in results[database.name][way]]) for way in WAYS)
            table.add_row(name.replace("_", " "), *cells)
        console.print(table)
    return 0


def scored(tables: dict[str, scores.Table]) -> dict[str, float]:
    """Scores of one database, and the share of N misnamed in the record where it is largest."""
    total = scores.score(np.sum(list(tables.values()), axis=0))
    return {**total, WORST: max(scores.misnamed(table) for table in tables.values())}


def held_out(recipe: Recipe, cuts: Cuts, device: torch.device, on_epoch: Any) -> dict[str, dict[str, scores.Table]]:
    """Fit without the held-out records for all epochs (no choosing among them); their tables by way and record."""
    fitting = Fitting(recipe, cuts, device)
    for _ in range(recipe.epochs):
        fitting.epoch()
        on_epoch()
    found = {}
    for way, source in WAYS.items():
        held = [cuts[source, name] for name in recipe.hold_out]
        said = probabilities(fitting.net, held)
        found[way] = {cut.name: scores.tally(cut, one.argmax(axis=1)) for cut, one in zip(held, said, strict=True)}
    return found


def spread(values: list[float]) -> str:
    """Mean ± standard deviation over seeds, in %."""
    known = np.array([value for value in values if not np.isnan(value)])
    if not len(known):
        return ""
    deviation = f" ± {100 * known.std(ddof=1):.1f}" if len(known) > 1 else ""
    return f"{100 * known.mean():.1f}{deviation}"
