"""`python -m trainer crossval`: score a recipe by records held out whole. Every choice is made by this.

Each fold of whole patients is held out once (ecg.records.databases). Every database has its own table.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from ecg import programs
from ecg.files import write_json
from ecg.model.device import pick_device
from ecg.records import databases
from ecg.records.patients import patients
from trainer.commands import options
from trainer.data.preparing import beats_file, cuts_for
from trainer.fitting.trials import Tables, fitted, scored
from trainer.progress import bars
from trainer.recipes import RECIPES, recipe_of
from trainer.scoring import scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.tables import spread

WORST = "most_N_misnamed"
SHOWN = ("macro_f1_nsv", "S.se", "S.ppv", "S.f1", "V.se", "V.ppv", "V.f1", "N.f1", "F.f1", WORST)

Results = dict[str, list[dict[str, float]]]
"""Scores by way of evaluation, one for each seed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--recipe", default="memory", choices=list(RECIPES), help="what to fit (default: memory)")
    parser.add_argument("--cell", choices=("gru", "lstm", "rnn"), help="recurrent cell (default: the recipe's)")
    parser.add_argument(
        "--seeds", type=programs.whole("--seeds", 1, 1000), default=3, help="fit with this many seeds (default: 3)"
    )
    options.add_fit(parser)
    options.add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Fit each fold and seed, and show the scores over all held-out records."""
    console = Console()
    device = pick_device(chosen.device)
    given = {"cell": chosen.cell} if chosen.cell else {}
    recipe = recipe_of(chosen.recipe, chosen.overrides, **given)
    among = patients(recipe.data)
    cuts = cuts_for(recipe, beats_file(chosen.beats, among.names, console, among), among.names, console)
    begin = time.perf_counter()
    results = {one.name: Results({way: [] for way in WAYS}) for one in among.databases}
    with bars(console) as shown:
        total = chosen.seeds * len(among.folds) * recipe.epochs
        task = shown.add_task(f"{recipe.name} ({recipe.cell})", total=total)
        for seed in range(chosen.seeds):
            tables: Tables = {way: {} for way in WAYS}
            for fold in among.folds:
                one = msgspec.structs.replace(recipe, hold_out=fold, seed=seed)
                net = fitted(one, cuts, device, on_epoch=lambda: shown.advance(task))
                for way, found in scored(net, cuts, fold).items():
                    tables[way] |= found
            for way, by_name in tables.items():
                for database in among.databases:
                    mine = {full: by_name[full] for full in map(database.full, database.records)}
                    results[database.name][way].append(_total(mine))
    took = time.perf_counter() - begin
    if chosen.json:
        tree: dict[str, Any] = {"recipe": recipe, "seconds": round(took, 1), **results}
        write_json(chosen.json, tree)
    for database in among.databases:
        known = "DS1" if database is databases.MITDB else f"{len(database.records)} records of {database.name}"
        title = f"{recipe.name} ({recipe.cell}): {known} in {len(among.folds)} parts, each held out whole; {took:.0f} s"
        console.print(_table(f"{title}; %, mean and spread of {chosen.seeds} seeds", results[database.name]))
    return 0


def _total(tables: dict[str, scores.Table]) -> dict[str, float]:
    """Scores of all records together, and the largest share of N misnamed in one of them."""
    total = scores.score(np.sum(list(tables.values()), axis=0))
    return {**total, WORST: max(scores.misnamed(table) for table in tables.values())}


def _table(title: str, results: Results) -> Table:
    """Each score by way of evaluation."""
    table = Table(title=title)
    table.add_column("")
    for name in results:
        table.add_column(name.replace("_", " "), justify="right")
    for name in SHOWN:
        table.add_row(name.replace("_", " "), *(spread([one[name] for one in results[way]]) for way in WAYS))
    return table
