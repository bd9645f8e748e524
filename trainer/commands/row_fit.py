"""Fitting the recipes over rows of the Kaggle file: `python -m trainer fit --recipe tutorial|kaggle`."""

from __future__ import annotations

import argparse
import time
from typing import Any

import msgspec
import safetensors.torch
from rich.console import Console
from rich.table import Table

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.model.device import pick_device
from ecg.model.lecture import build
from ecg.records.aami import CLASSES
from trainer.commands.prepare import rebuild, rows_folder
from trainer.data.rows import TEST_FILE, TRAIN_FILE, Rows
from trainer.fitting.fitting import load_checkpoint, save_checkpoint
from trainer.fitting.live import FitView
from trainer.fitting.row_fitting import ROW_RECIPES, RowFitting, RowRecipe, data_of, predict, scores_of
from trainer.fitting.runs import Run, new_folder
from trainer.recipes import override

PUBLISHED = {
    "tutorial": "published for the lecture's run: accuracy 0.85, macro recall 0.88, macro F1 0.80 on 1,017 beats",
    "kaggle": "published (Kachuee et al. 2018): 93.4 % average accuracy",
}


def run(chosen: argparse.Namespace) -> int:
    """Fit, then score the test rows once."""
    console = Console()
    device = pick_device(chosen.device)
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
    folder = chosen.csv or rows_folder()
    if not chosen.csv and not all((folder / name).exists() for name in (TRAIN_FILE, TEST_FILE)):
        console.print("rebuilding Kaggle's files from the records first")
        rebuild(folder, console)
    with console.status("reading rows"):
        fitted, validation, test = data_of(recipe, folder)
    fitting = RowFitting(recipe, fitted, device)
    saved = load_checkpoint(place.checkpoint) if chosen.resume else None
    place.begin(recipe, device)
    begin = time.perf_counter()
    title = f"{recipe.name}: {len(fitted)} rows, {len(validation)} to validate on, {len(test)} to test on, {device}"
    try:
        fit(fitting, validation, place, console, title, saved)
    except KeyboardInterrupt:
        kept = f"the best so far is in {place.best}" if place.best.exists() else "no epoch was done"
        console.print(f"stopped: {kept}; `--resume {place.folder}` goes on", soft_wrap=True)
        return 130
    took = time.perf_counter() - begin
    net = build(recipe.net, recipe.dropout)
    net.load_state_dict(safetensors.torch.load_file(place.best))
    found = scores_of(test, predict(net.to(device), test, device))
    tree = {"recipe": recipe.name, "seconds": round(took, 1), "split": "random split of beats", **found}
    write_atomic({place.folder / "metrics.json": msgspec.json.format(msgspec.json.encode(tree), indent=2)})
    show(recipe.name, found, took, console)
    return 0


def fit(
    fitting: RowFitting,
    validation: Rows,
    place: Run,
    console: Console,
    title: str,
    saved: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Fit to the end; the log. Each epoch writes the log, the best weights if these are, then the checkpoint."""
    recipe = fitting.recipe
    rows: list[dict[str, Any]] = []
    best = -1.0
    if saved is not None:
        fitting.restore(saved["fit"])
        rows, best = list(saved["rows"]), float(saved["best"])
    with FitView(title, recipe.epochs, fitting.steps, fitting.done, console) as view:
        view.rows = list(rows)
        while fitting.done < recipe.epochs:
            begin = time.perf_counter()
            loss = fitting.epoch(lambda mean, rate: view.step(fitting.done + 1, mean, rate))
            found = scores_of(validation, predict(fitting.best_net, validation, fitting.device))
            row = {
                "epoch": fitting.done,
                "loss": loss,
                "learning_rate": fitting.learning_rate,
                "accuracy": found["accuracy"],
                "macro_f1": found["macro_f1"],
                "seconds": round(time.perf_counter() - begin, 2),
            }
            rows.append(row)
            view.epoch(row)
            place.write_log(rows)
            value = float(fitting.done) if recipe.keep_last else found["macro_f1"]
            if value > best:
                best = value
                state = {k: v.detach().cpu().contiguous() for k, v in fitting.best_net.state_dict().items()}
                write_atomic({place.best: safetensors.torch.save(state)})
            save_checkpoint(place.checkpoint, {"fit": fitting.state(), "rows": rows, "best": best})
    return rows


def show(name: str, found: dict[str, Any], took: float, console: Console) -> None:
    """The test scores, labelled for what they are."""
    table = Table(title=f"{name}: RANDOM SPLIT of beats, the same patients on both sides (it flatters)")
    table.add_column("")
    for column in CLASSES:
        table.add_column(column, justify="right")
    for label, counts in zip(CLASSES, found["confusion"], strict=True):
        table.add_row(label, *(str(n) for n in counts))
    table.add_section()
    table.add_row("F1", *(f"{found['f1'][c]:.3f}" for c in CLASSES))
    console.print(table)
    console.print(
        f"{found['rows']} test rows: accuracy {found['accuracy']:.4f}, macro recall {found['macro_recall']:.4f}, "
        f"macro F1 {found['macro_f1']:.4f}; fitted in {took:.0f} s",
        soft_wrap=True,
    )
    console.print(PUBLISHED[name], soft_wrap=True)
