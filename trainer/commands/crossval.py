"""`python -m trainer crossval`: score a recipe on DS1 by records held out whole. Every choice is made by this."""

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
from ecg.records import aami
from trainer.commands import options
from trainer.data.preparing import beats_file, cuts_for
from trainer.fitting.trials import fitted, scored
from trainer.progress import bars
from trainer.recipes import FOLDS, RECIPES, recipe_of
from trainer.scoring import scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.tables import spread

SHOWN = ("macro_f1_nsv", "S.se", "S.ppv", "S.f1", "V.se", "V.ppv", "V.f1", "N.f1", "F.f1")


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
    cuts = cuts_for(recipe, beats_file(chosen.beats, list(aami.DS1), console), list(aami.DS1), console)
    begin = time.perf_counter()
    results: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with bars(console) as shown:
        task = shown.add_task(f"{recipe.name} ({recipe.cell})", total=chosen.seeds * len(FOLDS) * recipe.epochs)
        for seed in range(chosen.seeds):
            totals = {way: np.zeros((6, 6), np.int64) for way in WAYS}
            for fold in FOLDS:
                one = msgspec.structs.replace(recipe, hold_out=fold, seed=seed)
                net = fitted(one, cuts, device, on_epoch=lambda: shown.advance(task))
                for way, tables in scored(net, cuts, fold).items():
                    totals[way] += sum(tables.values())
            for way in WAYS:
                results[way].append(scores.score(totals[way]))
    took = time.perf_counter() - begin
    if chosen.json:
        tree: dict[str, Any] = {"recipe": recipe, "seconds": round(took, 1), **results}
        write_json(chosen.json, tree)
    title = f"{recipe.name} ({recipe.cell}): DS1 in {len(FOLDS)} parts, each held out whole; {took:.0f} s"
    console.print(_table(f"{title}; %, mean and spread of {chosen.seeds} seeds", results))
    return 0


def _table(title: str, results: dict[str, list[dict[str, float]]]) -> Table:
    """Each score by way of evaluation."""
    table = Table(title=title)
    table.add_column("")
    for name in results:
        table.add_column(name.replace("_", " "), justify="right")
    for name in SHOWN:
        table.add_row(name.replace("_", " "), *(spread([one[name] for one in results[way]]) for way in WAYS))
    return table
