"""`python -m trainer report`: figures and one Markdown page that holds them all."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from ecg import programs
from trainer.commands import options
from trainer.figures import page


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_evaluation(parser, "report")
    parser.add_argument(
        "--seed", type=programs.whole("--seed", 0, 2**32 - 1), default=0, help="which strips are drawn (default: 0)"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/report"), help="folder (default: runs/report)")


def run(chosen: argparse.Namespace) -> int:
    """Evaluate, draw, write the page."""
    console = Console()
    _, card, found, records = options.evaluated(chosen, console)
    log = page.curve_of(chosen.weights, card)
    with console.status("drawing"):
        written = page.write(
            chosen.out,
            card,
            found,
            log,
            records,
            data=options.folder_of(chosen.data),
            lead=chosen.lead,
            seed=chosen.seed,
        )
    console.print(f"{written}", soft_wrap=True)
    return 0
