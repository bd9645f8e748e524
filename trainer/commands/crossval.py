"""`python -m trainer crossval`: score a recipe on DS1 by records held out whole. Every choice is made by this."""

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

from ecg import programs
from ecg.files import write_atomic
from ecg.model.device import pick_device
from ecg.records import aami
from trainer.commands.prepare import cuts_for, ensure
from trainer.data.streams import Cuts
from trainer.fitting.fitting import Fitting
from trainer.recipes import FOLDS, RECIPES, Recipe, recipe_of
from trainer.scoring import scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.naming import probabilities

SHOWN = ("macro_f1_nsv", "S.se", "S.ppv", "S.f1", "V.se", "V.ppv", "V.f1", "N.f1", "F.f1")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--recipe", default="memory", choices=list(RECIPES), help="what to fit (default: memory)")
    parser.add_argument("--cell", choices=("gru", "lstm", "rnn"), help="recurrent cell (default: the recipe's)")
    parser.add_argument(
        "--seeds", type=programs.whole("--seeds", 1, 1000), default=3, help="fit with this many seeds (default: 3)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--beats", type=Path, help="file of cut beats (default: what `prepare` wrote)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores there too")


def run(chosen: argparse.Namespace) -> int:
    """Fit each fold and seed, and show the scores over all held-out records."""
    console = Console()
    device = pick_device(chosen.device)
    given = {"cell": chosen.cell} if chosen.cell else {}
    recipe = recipe_of(chosen.recipe, chosen.overrides, **given)
    cuts = cuts_for(recipe, ensure(chosen.beats, list(aami.DS1), console), list(aami.DS1), console)
    begin = time.perf_counter()
    results: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bars:
        total = chosen.seeds * len(FOLDS) * recipe.epochs
        task = bars.add_task(f"{recipe.name} ({recipe.cell})", total=total)
        for seed in range(chosen.seeds):
            tables: dict[str, list[scores.Table]] = {way: [] for way in WAYS}
            for fold in FOLDS:
                one = msgspec.structs.replace(recipe, hold_out=fold, seed=seed)
                for way, found in held_out(one, cuts, device, lambda: bars.advance(task)).items():
                    tables[way] += found
            for way in WAYS:
                results[way].append(scores.score(np.sum(tables[way], axis=0)))
    took = time.perf_counter() - begin
    if chosen.json:
        tree: dict[str, Any] = {"recipe": recipe, "seconds": round(took, 1), **results}
        write_atomic({chosen.json: msgspec.json.format(msgspec.json.encode(tree), indent=2)})
    title = f"{recipe.name} ({recipe.cell}): DS1 in {len(FOLDS)} parts, each held out whole; {took:.0f} s"
    table = Table(title=f"{title}; %, mean and spread of {chosen.seeds} seeds")
    table.add_column("")
    for name in results:
        table.add_column(name.replace("_", " "), justify="right")
    for name in SHOWN:
        table.add_row(name.replace("_", " "), *(spread([one[name] for one in results[way]]) for way in WAYS))
    console.print(table)
    return 0


def held_out(recipe: Recipe, cuts: Cuts, device: torch.device, on_epoch: Any) -> dict[str, list[scores.Table]]:
    """Fit without the held-out records for all epochs (no choosing among them), and score those records."""
    fitting = Fitting(recipe, cuts, device)
    for _ in range(recipe.epochs):
        fitting.epoch()
        on_epoch()
    found = {}
    for way, source in WAYS.items():
        held = [cuts[source, name] for name in recipe.hold_out]
        said = probabilities(fitting.net, held)
        found[way] = [scores.tally(cut, one.argmax(axis=1)) for cut, one in zip(held, said, strict=True)]
    return found


def spread(values: list[float]) -> str:
    """Mean ± standard deviation over seeds, in %."""
    known = np.array([value for value in values if not np.isnan(value)])
    if not len(known):
        return ""
    deviation = f" ± {100 * known.std(ddof=1):.1f}" if len(known) > 1 else ""
    return f"{100 * known.mean():.1f}{deviation}"
