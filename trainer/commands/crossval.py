"""`python -m trainer crossval`: score a recipe by records held out whole. Every choice is made by this.

Each fold of whole patients is held out once (ecg.records.databases). Every database has its own table.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ecg import programs
from ecg.files import write_json
from ecg.model.device import pick_device
from ecg.model.doubt import Doubt
from ecg.records import databases
from ecg.records.databases import Database, database_of
from ecg.records.patients import patients
from trainer.commands import options
from trainer.data.preparing import beats_file, cuts_for
from trainer.fitting.trials import TWO_LEADS, fitted, scored
from trainer.progress import bars
from trainer.recipes import RECIPES, Recipe, recipe_of
from trainer.scoring import calibration, crossvalidation, scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.judged import Judged, Trial
from trainer.scoring.naming import RHYTHM_TABLE, rhythms
from trainer.scoring.tables import spread

WORST = "most_N_misnamed"
ERROR = "calibration_error"
SHOWN = ("macro_f1_nsv", "S.se", "S.ppv", "S.f1", "V.se", "V.ppv", "V.f1", "N.f1", "F.f1", WORST, ERROR)

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
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="a file of --json of the same recipe: its seeds are not fitted again",
    )


def run(chosen: argparse.Namespace) -> int:
    """Fit each fold and seed, and show the scores over all held-out records."""
    console = Console()
    device = pick_device(chosen.device)
    given = {"cell": chosen.cell} if chosen.cell else {}
    recipe = recipe_of(chosen.recipe, chosen.overrides, **given)
    among = patients(recipe.data)
    cuts = cuts_for(recipe, beats_file(chosen.beats, among.names, console, among), among.names, console)
    begin = time.perf_counter()
    before = crossvalidation.read(chosen.resume) if chosen.resume else None
    trials = before.trials(recipe)[: chosen.seeds] if before else []
    tables = before.rhythm_tables()[: chosen.seeds] if before else []
    earlier = before.seconds if before else 0.0
    with bars(console) as shown:
        total = (chosen.seeds - len(trials)) * len(among.folds) * recipe.all_epochs
        task = shown.add_task(f"{recipe.name} ({recipe.cell})", total=total)
        for seed in range(len(trials), chosen.seeds):
            trial: Trial = {}
            table = np.zeros(RHYTHM_TABLE, np.int64)
            for part, fold in enumerate(among.folds, 1):
                one = msgspec.structs.replace(recipe, hold_out=fold, seed=seed)
                net = fitted(one, cuts, device, on_epoch=lambda: shown.advance(task))
                for way, found in scored(net, cuts, fold, Doubt(early_s=recipe.early_s)).items():
                    trial.setdefault(way, {}).update(found)
                table += rhythms(net, [cuts["detector", name] for name in fold])
                for line in _brief(trial, fold, among.databases):
                    console.print(f"seed {seed}, part {part}: {line}", soft_wrap=True)
            trials.append(trial)
            tables.append(table)
            if chosen.json:
                _write(chosen.json, recipe, trials, tables, among.databases, earlier + time.perf_counter() - begin)
    took = earlier + time.perf_counter() - begin
    results = _results(trials, among.databases)
    if chosen.json:
        _write(chosen.json, recipe, trials, tables, among.databases, took)
    bins = sum((_bins(trials, database) for database in among.databases), calibration.NONE)
    for database in among.databases:
        known = "DS1" if database is databases.MITDB else f"{len(database.records)} records of {database.name}"
        title = f"{recipe.name} ({recipe.cell}): {known} in {len(among.folds)} parts, each held out whole; {took:.0f} s"
        console.print(_table(f"{title}; %, mean and spread of {chosen.seeds} seeds", results[database.name]))
        for way in (one for one in ("end_to_end", TWO_LEADS) if results[database.name][one]):
            console.print(_remarks(way, [_of(trial[way], database) for trial in trials]), soft_wrap=True)
    if any(table.any() for table in tables):
        console.print(_told(np.sum(tables, axis=0)), soft_wrap=True)
    level = calibration.level(bins)
    unsure = bins[: round(level * calibration.BINS)].sum(axis=0)
    console.print(
        f"names are right in {100 * calibration.LEAST_RIGHT:.0f} % or more from a confidence of {100 * level:.0f} % "
        f"on; below it are {100 * unsure[0] / bins[:, 0].sum():.1f} % of the beats, right in "
        f"{100 * unsure[2] / max(unsure[0], 1):.1f} %",
        soft_wrap=True,
    )
    return 0


def _results(trials: list[Trial], among: tuple[Database, ...]) -> dict[str, Results]:
    """Scores by database and way, one for each seed."""
    return {
        database.name: {
            way: [_total(_of(trial[way], database)) for trial in trials if all_there(trial.get(way, {}), database)]
            for way in (*WAYS, TWO_LEADS)
        }
        for database in among
    }


def _write(
    path: Path,
    recipe: Recipe,
    trials: list[Trial],
    tables: list[NDArray[np.int64]],
    among: tuple[Database, ...],
    seconds: float,
) -> None:
    """Write what there is so far: a long run that is broken off goes on from it. Raises UserError."""
    records = [
        {
            way: {name: {"confusion": one.table.tolist(), "by_confidence": one.bins.tolist()} for name, one in found}
            for way, found in ((way, judged.items()) for way, judged in trial.items())
        }
        for trial in trials
    ]
    told = [table.tolist() for table in tables]
    tree = {"recipe": recipe, "seconds": round(seconds, 1), **_results(trials, among), "rhythms": told}
    write_json(path, {**tree, "records": records})


def _told(table: NDArray[np.int64]) -> str:
    """What the rhythm head is worth, in words."""
    scores = crossvalidation.of_rhythms(table)
    said = ", ".join(f"{name} {100 * one['se']:.1f} / {100 * one['ppv']:.1f}" for name, one in scores.items())
    return f"rhythm of beats, end to end, Se / +P in %: {said}"


def _bins(trials: list[Trial], database: Database) -> calibration.Bins:
    """A database's beats by the confidence of their names, from two leads where they are cut, all seeds together."""
    total = calibration.NONE.copy()
    for trial in trials:
        way = TWO_LEADS if all_there(trial.get(TWO_LEADS, {}), database) else "end_to_end"
        total += np.sum([one.bins for one in _of(trial[way], database).values()], axis=0)
    return total


def all_there(judged: dict[str, Judged], database: Database) -> bool:
    """Whether all records of a database are among those judged."""
    return all(database.full(record) in judged for record in database.records)


def _of(judged: dict[str, Judged], database: Database) -> dict[str, Judged]:
    """Those records that are of one database."""
    return {full: judged[full] for full in map(database.full, database.records)}


def _total(judged: dict[str, Judged]) -> dict[str, float]:
    """Scores of all records together, the largest share of N misnamed in one of them, the calibration error."""
    total = scores.score(np.sum([one.table for one in judged.values()], axis=0))
    shares = [scores.misnamed(one.table) for one in judged.values()]
    bins = np.sum([one.bins for one in judged.values()], axis=0)
    return {**total, WORST: max(shares), ERROR: calibration.expected_error(bins)}


def _brief(trial: Trial, fold: tuple[str, ...], among: tuple[Database, ...]) -> list[str]:
    """One line for each way and database: the scores of one part, in %."""
    lines = []
    for way, judged in trial.items():
        for database in among:
            tables = {name: judged[name].table for name in fold if database_of(name) == database.name}
            if way in ("end_to_end", TWO_LEADS) and tables:
                found = scores.score(np.sum(list(tables.values()), axis=0))
                values = ", ".join(f"{key} {100 * found[key]:.1f}" for key in ("S.f1", "V.f1", "macro_f1_nsv"))
                (name, share), *_ = scores.worst(tables)
                lines.append(
                    f"{database.name}, {way.replace('_', ' ')}: {values}; {name}: {100 * share:.0f} of N misnamed"
                )
    return lines


def _remarks(way: str, seeds: list[dict[str, Judged]]) -> str:
    """The worst records, and how far the confidence of a name can be believed, in words."""
    tables = {name: np.sum([one[name].table for one in seeds], axis=0) for name in seeds[0]}
    bins = np.sum([one.bins for judged in seeds for one in judged.values()], axis=0)
    worst = ", ".join(f"{name} {100 * share:.0f}" for name, share in scores.worst(tables))
    sure = "; ".join(
        f"{100 * low:.0f}+: {100 * confidence:.1f} {100 * right:.1f} ({100 * share:.1f} of beats)"
        for low, share, confidence, right in calibration.rows(bins)
    )
    return f"{way.replace('_', ' ')}: most N misnamed, %: {worst}\n  confidence and share right, %: {sure}"


def _table(title: str, results: Results) -> Table:
    """Each score by way of evaluation."""
    table = Table(title=title)
    table.add_column("")
    ways = [way for way, found in results.items() if found]
    for name in ways:
        table.add_column(name.replace("_", " "), justify="right")
    for name in SHOWN:
        table.add_row(name.replace("_", " "), *(spread([one[name] for one in results[way]]) for way in ways))
    return table
