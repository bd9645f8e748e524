"""`python -m trainer fit`: fit a recipe, and keep its best weights."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import msgspec
import torch
from rich.console import Console

from ecg.errors import UserError
from ecg.model import weights
from ecg.records import aami
from ecg.records.aami import CLASSES
from ecg.signal import path
from trainer.commands import row_fit
from trainer.commands.prepare import cuts_for, ensure
from trainer.data import cache
from trainer.data.patients import patients
from trainer.fitting.fitting import Fitting, load_checkpoint, save_checkpoint, validate
from trainer.fitting.live import FitView
from trainer.fitting.random_split import random_split
from trainer.fitting.row_fitting import ROW_RECIPES
from trainer.fitting.runs import Run, commit, device_of, new_folder
from trainer.recipes import RECIPES, Recipe, recipe_of

LIMITS = (
    "Fitted on 22 records of the MIT-BIH Arrhythmia Database (adults, one lead, recorded 1975-79). Fusion and paced "
    "beats are hardly known to it. Not evaluated on children, exercise, or other recorders."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--recipe", default="memory", choices=[*RECIPES, *ROW_RECIPES], help="what to fit (default: memory)"
    )
    parser.add_argument("--cell", choices=("gru", "lstm", "rnn"), help="recurrent cell (default: the recipe's)")
    parser.add_argument("--seed", type=int, help="random seed (default: 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--all-of-ds1",
        "--all",
        action="store_true",
        help="hold nothing out: fit on all records of the recipe's data, for all its epochs",
    )
    parser.add_argument("--beats", type=Path, help="file of cut beats (default: what `prepare` wrote)")
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
    if (Run(chosen.resume).recipe if chosen.resume else chosen.recipe) in ROW_RECIPES:
        return row_fit.run(chosen)
    console = Console()
    device = device_of(chosen.device)
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
    beats = ensure(chosen.beats, among.names, console, among)
    fitted = [name for name in among.names if name not in recipe.hold_out]
    data_hash = cache.head_of(beats).data_hash(fitted)
    saved = load_checkpoint(place.checkpoint) if chosen.resume else None
    if saved is not None and saved["data_hash"] != data_hash:
        raise UserError(f"{place.folder} was fitted on other beats than {beats} holds; it cannot be resumed")
    fitting = Fitting(recipe, cuts_for(recipe, beats, among.names, console), device, fitted)
    place.begin(recipe, device)
    begin = time.perf_counter()
    title = f"{recipe.name} ({recipe.cell}), {len(fitting.names)} records, {device}"
    try:
        rows = fit(fitting, place, data_hash, console, title, saved)
    except KeyboardInterrupt:
        kept = f"the best so far is in {place.best}" if place.best.exists() else "no epoch was done"
        console.print(f"stopped: {kept}; go on with `python -m trainer fit --resume {place.folder}`", soft_wrap=True)
        return 130
    took = time.perf_counter() - begin
    console.print(f"{len(rows)} epochs in {took:.0f} s; best weights: {place.best}", soft_wrap=True)
    if chosen.with_random_split:
        names = [*aami.DS1, *aami.DS2]
        found = random_split(recipe, cache.load(ensure(chosen.beats, names, console), names), device, console)
        net, card = weights.load(place.best)
        weights.save(place.best, net, msgspec.structs.replace(card, metrics={**card.metrics, "random_split": found}))
    return 0


def fit(
    fitting: Fitting,
    place: Run,
    data_hash: str,
    console: Console,
    title: str,
    saved: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Fit to the end or until validation stops rising; the log, one row an epoch.

    Each epoch writes the log, then the best weights if these are, then the checkpoint. With no record held out the
    last weights are the best. saved: a checkpoint to go on from. Raises UserError where the disk is full.
    """
    recipe = fitting.recipe
    rows: list[dict[str, Any]] = []
    best, best_epoch = -1.0, 0
    if saved is not None:
        fitting.restore(saved["fit"])
        rows, best, best_epoch = list(saved["rows"]), float(saved["best"]), int(saved["best_epoch"])
    held = [fitting.cuts["detector", name] for name in recipe.hold_out]
    with FitView(title, recipe.epochs, recipe.steps, fitting.done, console) as view:
        view.rows = list(rows)
        while fitting.done < recipe.epochs and not (held and fitting.done - best_epoch >= recipe.patience):
            begin = time.perf_counter()
            loss = fitting.epoch(lambda mean, rate: view.step(fitting.done + 1, mean, rate))
            row: dict[str, Any] = {
                "epoch": fitting.done,
                "loss": loss,
                "learning_rate": fitting.learning_rate,
            }
            value = float(fitting.done)
            if held:
                found = validate(fitting.net, held)
                value = found["macro_f1_nsv"]
                row |= {"macro_f1_nsv": value, "S_f1": found["S.f1"], "V_f1": found["V.f1"]}
            row["seconds"] = round(time.perf_counter() - begin, 2)
            rows.append(row)
            view.epoch(row)
            place.write_log(rows)
            if value > best:
                best, best_epoch = value, fitting.done
                weights.save(place.best, fitting.net, card_of(fitting, data_hash, rows))
            save_checkpoint(
                place.checkpoint,
                {
                    "fit": fitting.state(),
                    "rows": rows,
                    "best": best,
                    "best_epoch": best_epoch,
                    "data_hash": data_hash,
                },
            )
    return rows


def card_of(fitting: Fitting, data_hash: str, log: list[dict[str, Any]]) -> weights.Card:
    """The card of a fit's weights as they stand after the last epoch of the log."""
    row = log[-1]
    recipe = fitting.recipe
    fitted = {
        "records": fitting.names,
        "epoch": row["epoch"],
        "beats": int(sum(len(fitting.cuts["reference", name]) for name in fitting.names)),
        "classes": dict(zip(CLASSES, _counts(fitting), strict=True)),
        "torch": str(torch.__version__),
        "log": [{name: value for name, value in one.items() if name != "seconds"} for one in log],
    }
    held = {"records": list(recipe.hold_out), **{k: v for k, v in row.items() if k.endswith(("f1", "nsv"))}}
    return weights.Card(
        name=f"{recipe.name}-{recipe.cell}",
        recipe=recipe.name,
        shape=recipe.shape,
        features=list(path.FEATURES),
        rate=path.MODEL_RATE,
        window=path.WINDOW,
        data_hash=data_hash,
        commit=commit(),
        seed=recipe.seed,
        metrics={"fitted_on": fitted, **({"held_out_ds1": held} if recipe.hold_out else {})},
        limits=LIMITS,
    )


def _counts(fitting: Fitting) -> list[int]:
    """Reference beats of each class in the records fitted on."""
    cuts = [fitting.cuts["reference", name].classes for name in fitting.names]
    return [int(sum((classes == i).sum() for classes in cuts)) for i in range(len(CLASSES))]
