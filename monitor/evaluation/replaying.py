"""python -m monitor replay: a recording with its letters beside those of today's network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ecg import programs, settings
from ecg.files import write_json
from ecg.model import weights
from ecg.model.device import device_name
from ecg.records import aami
from monitor.evaluation import recorded
from monitor.evaluation.recorded import NONE, Comparison


def parser() -> argparse.ArgumentParser:
    """Options of `python -m monitor replay`."""
    made = argparse.ArgumentParser(prog=f"{programs.shown('monitor')} replay", description=__doc__.splitlines()[0])
    made.add_argument("record", type=Path, nargs="+", metavar="DIR/RECORD", help="recordings, or other WFDB records")
    made.add_argument("--beats", action="store_true", help="list every beat whose letters differ")
    made.add_argument("--json", type=Path, metavar="FILE", help="write table and beats to FILE too")
    made.add_argument("--weights", help="shipped weights by name, or a .safetensors file")
    made.add_argument("--device", help='"auto", "cpu", "cuda", "cuda:0"')
    made.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    return made


def run(arguments: list[str]) -> int:
    """`replay`; returns the exit status. Raises UserError where a record cannot be read."""
    options = parser().parse_args(arguments)
    config = settings.load(options.config)
    fitted, card = weights.load(options.weights or config.model.weights)
    device = device_name(options.device or config.model.device)
    console, told = Console(), []
    for path in options.record:
        found = recorded.read_again(recorded.find(path), config, fitted, device, card.doubt)
        show(console, found, card.name, options.beats)
        told.append(figures(found, card.name))
    if options.json:
        write_json(options.json, told)
    return 0


def figures(found: Comparison, model: str) -> dict[str, Any]:
    """The comparison as plain values."""
    return {
        "record": found.record.name,
        "seconds": round(found.record.seconds, 3),
        "model": model,
        "agreement": found.agreement,
        "table": {f"{before} {now}": count for (before, now), count in sorted(found.table.items())},
        "beats": found.pairs,
    }


def show(console: Console, found: Comparison, model: str, beats: bool) -> None:
    """One recording on the terminal."""
    share = found.agreement
    said = "no beats to compare" if share is None else f"{share:.2%} of the beats of both have the same letter"
    letters = [*aami.CLASSES, NONE]
    console.print(f"{found.record.name}: recorded letters (down) and those of {model} (across)", soft_wrap=True)
    table = Table()
    table.add_column("")
    for letter in letters:
        table.add_column(letter, justify="right")
    for before in letters:
        table.add_row(before, *(str(found.table[before, now] or "") for now in letters))
    console.print(table)
    console.print(said, highlight=False, soft_wrap=True)
    for pair in found.pairs if beats else []:
        if pair.recorded != pair.now:
            console.print(f"{pair.index / found.record.rate:10.3f} s  {pair.recorded} -> {pair.now}", highlight=False)
