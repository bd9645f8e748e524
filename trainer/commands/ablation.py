"""`python -m trainer ablation`: the worth of each part of the network, on DS2, with several seeds.

Each row is fitted on all of DS1 for the recipe's full number of epochs. No choice is made by these numbers.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from ecg import programs
from ecg.errors import UserError
from ecg.files import write_json
from ecg.model.device import pick_device
from ecg.model.shape import Cell
from ecg.records import aami
from trainer.commands import options
from trainer.data import cache
from trainer.data.preparing import beats_file, cuts_for
from trainer.data.streams import Cuts
from trainer.fitting.trials import fitted, scored
from trainer.progress import bars
from trainer.recipes import Recipe, recipe_of
from trainer.scoring import scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.tables import spread


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ablation."""

    text: str
    recipe: str
    cell: Cell

    @property
    def name(self) -> str:
        """Recipe and cell."""
        return f"{self.recipe}-{self.cell}"


ROWS: Final = (
    Row("window of the beat alone", "stateless", "gru"),
    Row("+ RR ratios", "rr", "gru"),
    Row("+ everything relative to the patient", "relative", "gru"),
    Row("+ rhythm memory, reset at every beat", "memory-reset", "gru"),
    Row("+ rhythm memory, carried (GRU)", "memory", "gru"),
    Row("the same, without made-up versions of records", "memory-real", "gru"),
    Row("carried, with an LSTM", "memory", "lstm"),
    Row("carried, with a plain RNN", "memory", "rnn"),
)
WITHOUT: Final = "S_without_232.f1"
MACRO_WITHOUT: Final = "macro_f1_nsv_without_232"
SHOWN: Final = {
    "macro_f1_nsv": "macro-F1",
    MACRO_WITHOUT: "without 232",
    "S.f1": "S F1",
    WITHOUT: "without 232",
    "V.se": "V Se",
    "V.ppv": "V +P",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    names = ",".join(row.name for row in ROWS)
    parser.add_argument("--rows", default=names, help=f"rows to fit (default: {names})")
    parser.add_argument(
        "--seeds", type=programs.whole("--seeds", 1, 1000), default=5, help="seeds 0 to N-1 (default: 5)"
    )
    options.add_fit(parser)
    parser.add_argument(
        "--json", type=Path, default=Path("runs/ablation.json"), metavar="FILE",
        help="scores of every fit; what it holds already is not fitted again (default: runs/ablation.json)",
    )  # fmt: skip


def run(chosen: argparse.Namespace) -> int:
    """Fit what is not in the file yet, and show the table."""
    console = Console()
    device = pick_device(chosen.device)
    rows = rows_of(chosen.rows)
    beats = beats_file(chosen.beats, [*aami.DS1, *aami.DS2], console)
    cuts = cuts_for(recipe_of("memory", chosen.overrides), beats, [*aami.DS1, *aami.DS2], console)
    same = {"data": cache.head_of(beats).data_hash([*aami.DS1, *aami.DS2]), "set": chosen.overrides}
    done = read(chosen.json)
    with bars(console, counted=True, stay=True) as shown:
        task = shown.add_task("", total=len(rows) * chosen.seeds)
        for row in rows:
            for seed in range(chosen.seeds):
                shown.update(task, description=f"{row.name}, seed {seed}")
                recipe = recipe_of(row.recipe, chosen.overrides, cell=row.cell, seed=seed, hold_out=())
                key = f"{row.name}/{seed}"
                stamp = {**same, "recipe": msgspec.to_builtins(recipe)}
                if done.get(key, {}).get("of") != stamp:
                    done[key] = {"of": stamp, **one(recipe, cuts, device)}
                    write_json(chosen.json, done)
                shown.advance(task)
    results = {row: [done[f"{row.name}/{seed}"] for seed in range(chosen.seeds)] for row in rows}
    for way in WAYS:
        console.print(_table(way, results))
    console.print("\n".join(markdown(results, chosen.seeds)), soft_wrap=True, markup=False, highlight=False)
    return 0


def rows_of(names: str) -> list[Row]:
    """Rows by name. Raises UserError for an unknown row."""
    known = {row.name: row for row in ROWS}
    strange = [name for name in names.split(",") if name not in known]
    if strange:
        raise UserError(f"--rows: there is no {', '.join(strange)}; there are {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def read(path: Path) -> dict[str, Any]:
    """Fits done before. Raises UserError for a file of another kind."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError):
        raise UserError(f"{path} does not hold the fits of an ablation: give another --json FILE") from None


def one(recipe: Recipe, cuts: Cuts, device: torch.device) -> dict[str, Any]:
    """Fit one recipe on DS1 and score it on DS2, both ways."""
    begin = time.perf_counter()
    net = fitted(recipe, cuts, device)
    found: dict[str, Any] = {"seconds": round(time.perf_counter() - begin, 1)}
    for way, judged in scored(net, cuts, aami.DS2).items():
        tables = {name: one.table for name, one in judged.items()}
        total = scores.score(np.sum(list(tables.values()), axis=0))
        rest = scores.score(np.sum([t for name, t in tables.items() if name != scores.LARGEST_S], axis=0))
        found[way] = {**total, WITHOUT: rest["S.f1"], MACRO_WITHOUT: rest["macro_f1_nsv"]}
    return found


def markdown(results: dict[Row, list[dict[str, Any]]], seeds: int) -> list[str]:
    """The end-to-end table for the README, each row with its command."""
    lines = [
        f"| | {' | '.join(SHOWN.values())} | command |",
        f"|---{'|---' * len(SHOWN)}|---|",
    ]
    for row, fits in results.items():
        cells = (_spread(fits, "end_to_end", name) for name in SHOWN)
        command = f"`python -m trainer ablation --rows {row.name} --seeds {seeds}`"
        lines.append(f"| {row.text} | {' | '.join(cells)} | {command} |")
    return lines


def _table(way: str, results: dict[Row, list[dict[str, Any]]]) -> Table:
    count = max(len(fits) for fits in results.values())
    table = Table(title=f"DS2, {way.replace('_', ' ')}: %, mean ± standard deviation of {count} seeds")
    table.add_column("")
    for title in SHOWN.values():
        table.add_column(title, justify="right")
    for row, fits in results.items():
        table.add_row(row.name, *(_spread(fits, way, name) for name in SHOWN))
    return table


def _spread(fits: list[dict[str, Any]], way: str, name: str) -> str:
    return spread([value for fit in fits if (value := fit[way][name]) is not None])
