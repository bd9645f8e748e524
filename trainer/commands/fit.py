"""`python -m trainer fit`: fit a recipe, and keep its best weights."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import torch
from rich.console import Console

from ecg import programs
from ecg.errors import UserError
from ecg.files import write_json
from ecg.model import row_weights, weights
from ecg.model.device import pick_device
from ecg.records import aami
from ecg.records.patients import patients
from trainer.commands import options
from trainer.data import cache
from trainer.data.preparing import beats_file, cuts_for, fetch, rows_files
from trainer.fitting import beats as beat_fits
from trainer.fitting import rows as row_fits
from trainer.fitting.checkpoint import load_checkpoint
from trainer.fitting.loop import Log
from trainer.fitting.memory import fitting_of
from trainer.fitting.random_split import random_split
from trainer.fitting.rows import RowFitting
from trainer.fitting.runs import Run, new_folder
from trainer.recipes import RECIPES, ROW_RECIPES, Recipe, RowRecipe, override, recipe_of
from trainer.scoring.rows import predict, scores_of
from trainer.scoring.tables import rows_table

PUBLISHED: Final = {
    "tutorial": "published for the lecture's run: accuracy 0.85, macro recall 0.88, macro F1 0.80 on 1,017 beats",
    "kaggle": "published (Kachuee et al. 2018): 93.4 % average accuracy",
}
INTERRUPTED: Final = 130
"""Exit status after Ctrl-C."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--recipe", default="memory", choices=[*RECIPES, *ROW_RECIPES], help="what to fit (default: memory)"
    )
    parser.add_argument("--cell", choices=("gru", "lstm", "rnn"), help="recurrent cell (default: the recipe's)")
    parser.add_argument("--seed", type=programs.whole("--seed", 0, 2**32 - 1), help="random seed (default: 0)")
    options.add_fit(parser)
    parser.add_argument(
        "--all-of-ds1",
        "--all",
        action="store_true",
        help="hold nothing out: fit on all records of the recipe's data, for all its epochs",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="DIR", help="folder of mitbih_train.csv and mitbih_test.csv (default: rebuilt)"
    )
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/<recipe>-<cell>-<date>)")
    parser.add_argument(
        "--with-random-split",
        action="store_true",
        help="afterwards fit the recipe on a random split of the beats of all records too, and put that score, "
        "labelled so, on the card: it flatters",
    )
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with the run in this folder")


def run(chosen: argparse.Namespace) -> int:
    """Fit, showing how it goes."""
    console, device = Console(), pick_device(chosen.device)
    name = Run(chosen.resume).recipe if chosen.resume else chosen.recipe
    kind = _rows if name in ROW_RECIPES else _beats
    return kind(chosen, console, device)


def _beats(chosen: argparse.Namespace, console: Console, device: torch.device) -> int:
    """Fit a beat reader and rhythm memory."""
    if chosen.resume:
        place = Run(chosen.resume)
        recipe = place.settings(Recipe)
    else:
        given: dict[str, Any] = {k: getattr(chosen, k) for k in ("cell", "seed") if getattr(chosen, k) is not None}
        if chosen.all_of_ds1:
            given["hold_out"] = ()
        recipe = recipe_of(chosen.recipe, chosen.overrides, **given)
        place = Run(chosen.out or new_folder(f"{recipe.name}-{recipe.cell}-{recipe.seed}"))
    among = patients(recipe.data)
    beats = beats_file(chosen.beats, among.names, console, among)
    data_hash = cache.head_of(beats).data_hash([name for name in among.names if name not in recipe.hold_out])
    saved = load_checkpoint(place.checkpoint) if chosen.resume else None
    if saved is not None and saved["data_hash"] != data_hash:
        raise UserError(f"{place.folder} was fitted on other beats than {beats} holds; it cannot be resumed")
    fitting = fitting_of(recipe, cuts_for(recipe, beats, among.names, console), device)
    place.begin(recipe, device)
    title = f"{recipe.name} ({recipe.cell}), {len(fitting.names)} records, {device}"
    log, took = _watched(lambda: beat_fits.fit(fitting, place, data_hash, console, title, saved), place, console)
    if log is None:
        return INTERRUPTED
    console.print(f"{len(log)} epochs in {took:.0f} s; best weights: {place.best}", soft_wrap=True)
    if chosen.with_random_split:
        names = [*aami.DS1, *aami.DS2]
        found = random_split(recipe, cache.load(beats_file(chosen.beats, names, console), names), device, console)
        fitted, card = weights.load(place.best)
        weights.save(place.best, fitted, msgspec.structs.replace(card, metrics={**card.metrics, "random_split": found}))
    return 0


def _rows(chosen: argparse.Namespace, console: Console, device: torch.device) -> int:
    """Fit a network over rows of the Kaggle file, then score the test rows once."""
    if chosen.cell or chosen.all_of_ds1 or chosen.with_random_split:
        raise UserError("--cell, --all-of-ds1 and --with-random-split do not go with a recipe over rows")
    if chosen.resume:
        place = Run(chosen.resume)
        recipe = place.settings(RowRecipe)
    else:
        recipe = override(ROW_RECIPES[chosen.recipe], chosen.overrides)
        if chosen.seed is not None:
            recipe = msgspec.structs.replace(recipe, seed=chosen.seed)
        place = Run(chosen.out or new_folder(f"{recipe.name}-{recipe.seed}"))
    if recipe.file == "ds1" and chosen.csv:
        raise UserError(f"--csv does not go with {recipe.name}, which is fitted on rows of the records themselves")
    if recipe.file == "ds1":
        fetch([*aami.DS1, *aami.DS2], console)
    folder = Path() if recipe.file == "ds1" else rows_files(chosen.csv, console)
    with console.status("reading rows"):
        fitted, validation, test = row_fits.data_of(recipe, folder)
    fitting = RowFitting(recipe, fitted, device)
    saved = load_checkpoint(place.checkpoint) if chosen.resume else None
    place.begin(recipe, device)
    title = f"{recipe.name}: {len(fitted)} rows, {len(validation)} to validate on, {len(test)} to test on, {device}"
    log, took = _watched(lambda: row_fits.fit(fitting, validation, place, console, title, saved), place, console)
    if log is None:
        return INTERRUPTED
    net = row_fits.best_of(recipe, place, device)
    found = scores_of(test, predict(net, test, device))
    split = "patients of DS1 against patients of DS2" if recipe.file == "ds1" else "random split of beats"
    about = {"recipe": recipe.name, "seconds": round(took, 1), "split": split}
    write_json(place.folder / "metrics.json", {**about, **found})
    row_weights.save(place.folder / f"{recipe.name}.safetensors", net, row_fits.card_of(recipe, {**about, **found}))
    console.print(rows_table(recipe.name, found))
    console.print(
        f"{found['rows']} test rows: accuracy {found['accuracy']:.4f}, macro recall {found['macro_recall']:.4f}, "
        f"macro F1 {found['macro_f1']:.4f}; fitted in {took:.0f} s",
        soft_wrap=True,
    )
    if recipe.name in PUBLISHED:
        console.print(PUBLISHED[recipe.name], soft_wrap=True)
    return 0


def _watched(fit: Callable[[], Log], place: Run, console: Console) -> tuple[Log | None, float]:
    """The log of a fit and its seconds; None for the log after Ctrl-C, with a sentence on the terminal."""
    begin = time.perf_counter()
    try:
        return fit(), time.perf_counter() - begin
    except KeyboardInterrupt:
        kept = f"the best so far is in {place.best}" if place.best.exists() else "no epoch was done"
        console.print(f"stopped: {kept}; go on with `python -m trainer fit --resume {place.folder}`", soft_wrap=True)
        return None, time.perf_counter() - begin
