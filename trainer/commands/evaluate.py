"""`python -m trainer evaluate`: score weights on records of patients never seen."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from ecg.files import write_json
from ecg.model import weights
from trainer.commands import options
from trainer.scoring import crossvalidation
from trainer.scoring.evaluation import WAYS, as_json, brief
from trainer.scoring.tables import TITLES, random_split_line, tables

LEADS: Final = {1: "one lead", 2: "two leads end to end, where there are two"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_evaluation(parser, "score")
    options.add_json(parser)
    parser.add_argument("--ship", metavar="NAME", help="put the scores into the card and ship the weights as NAME")
    parser.add_argument(
        "--crossval",
        type=Path,
        metavar="FILE",
        help="of the same recipe, as `crossval --json` writes it: its scores go onto the card, and the confidence "
        "below which a letter is unsure",
    )


def run(chosen: argparse.Namespace) -> int:
    """Evaluate both ways and show the tables."""
    console = Console()
    begin = time.perf_counter()
    checked = crossvalidation.read(chosen.crossval) if chosen.crossval else None
    net, card, found, records = options.evaluated(chosen, console)
    if checked:
        metrics = {**card.metrics, "cross_validation": checked.on_card()}
        doubt = msgspec.structs.replace(card.doubt, unsure_below=checked.level())
        card = msgspec.structs.replace(card, metrics=metrics, doubt=doubt)
    tree = as_json(found, card.doubt.unsure_below)
    took = time.perf_counter() - begin
    if chosen.json:
        about = {"weights": card.name, "sha256": card.sha256, "seed": card.seed, "set": records, "leads": chosen.leads}
        write_json(chosen.json, {**tree, "about": {**about, "seconds": round(took, 1)}})
    console.print(f"{card.name} (seed {card.seed}) on {records}; {LEADS[chosen.leads]}, causal; {took:.0f} s")
    for way in WAYS:
        for table in tables(TITLES[way], tree[way]):
            console.print(table)
    if line := random_split_line(card):
        console.print(line, soft_wrap=True)
    if chosen.ship:
        metrics = {**card.metrics, "evaluation": {"set": records, "leads": chosen.leads, **brief(tree)}}
        target = weights.SHIPPED / f"{chosen.ship}.safetensors"
        weights.save(target, net.as_weights(), msgspec.structs.replace(card, name=chosen.ship, metrics=metrics))
        console.print(f"shipped as {chosen.ship}")
    return 0
