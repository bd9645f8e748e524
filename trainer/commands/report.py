"""`python -m trainer report`: figures and one Markdown page that holds them all."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from rich.console import Console

from ecg import programs
from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.model import weights
from ecg.model.device import pick_device
from ecg.model.weights import Card
from ecg.records import library
from ecg.records.aami import CLASSES
from trainer.commands.evaluate import TITLES
from trainer.commands.prepare import fetch
from trainer.figures import figures, strips
from trainer.scoring.evaluation import WAYS, Named, as_json, name_records, what_is
from trainer.scoring.scores import SCORED

CITATION = (
    "Records: MIT-BIH Arrhythmia Database 1.0.0 (Open Data Commons Attribution License 1.0). Moody GB, Mark RG. The "
    "impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45-50 (2001). Goldberger A, et al. "
    "PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23):e215-e220 (2000)."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "weights", nargs="?", default="memory-gru", help="shipped weights, a file or a run (default: memory-gru)"
    )
    parser.add_argument("--records", default="ds2", help="records to report on (default: ds2)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of annotated WFDB records, at any rate")
    parser.add_argument("--lead", default="MLII", help="lead to analyse where a record has it, else its first")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--seed", type=programs.whole("--seed", 0, 2**32 - 1), default=0, help="which strips are drawn (default: 0)"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/report"), help="folder (default: runs/report)")


def run(chosen: argparse.Namespace) -> int:
    """Evaluate, draw, write the page."""
    console = Console()
    device = pick_device(chosen.device)
    net, card = weights.load(chosen.weights)
    if chosen.data and not chosen.data.is_dir():
        raise UserError(f"there is no folder {chosen.data}: give one that holds annotated WFDB records")
    names = library.find(chosen.records, chosen.data)
    if not chosen.data:
        fetch(names, console)
    found = name_records(net.to(device), names, console, chosen.data, chosen.lead)
    with console.status("drawing"):
        page = write(chosen, card, found, curve_of(chosen.weights, card), what_is(names, chosen.data))
    console.print(f"{page}", soft_wrap=True)
    return 0


def write(
    chosen: argparse.Namespace,
    card: Card,
    found: dict[str, dict[str, Named]],
    log: list[dict[str, float]],
    what: str,
) -> Path:
    """All figures and the page in the folder --out; the page. Raises UserError where it cannot be written."""
    tree = as_json(found)
    folder: Path = chosen.out
    try:
        lines = [
            f"# {card.name} on {what}",
            "",
            f"Made by `python -m trainer report`. {card.intended_use}",
            "",
            *_scores(tree),
            *_section("Confusion matrix", "confusion.png", "Colour: share of the cardiologists' class."),
        ]
        figures.confusion_figure({TITLES[way].partition(":")[0]: tree[way] for way in WAYS}, folder / "confusion.png")
        if log:
            figures.curves_figure(log, folder / "curves.png")
            lines += _section(
                "Training", "curves.png", f"Recipe {card.recipe}, cell {card.shape.cell}, seed {card.seed}."
            )
        streamed = found["end_to_end"]
        _, precision = figures.precision_recall_figure(streamed, folder / "precision_recall.png")
        lines += _section(
            "Precision and recall, end to end", "precision_recall.png", _by_class("Average precision", precision)
        )
        _, error = figures.calibration_figure(streamed, folder / "calibration.png")
        lines += _section("Calibration, end to end", "calibration.png", _by_class("Expected calibration error", error))
        lines += [
            "## Rhythm strips",
            "",
            "Ten consecutive beats around one of each class, drawn at random; 25 mm/s, 10 mm/mV, a line every "
            "0.2 s and 0.5 mV. Upper letters: the network, end to end (red where it differs); lower: the "
            "cardiologists.",
            "",
        ]
        lines += _strips(chosen, streamed, folder)
        page = folder / "report.md"
        write_atomic({page: ("\n".join([*lines, CITATION]) + "\n").encode()})
    except OSError as error:
        raise UserError(f"cannot write {error.filename or folder}: {error.strerror}") from None
    return page


def curve_of(name: str, card: Card) -> list[dict[str, float]]:
    """The training log: of the run, where weights of a run are given, else what the card keeps of it."""
    path = Path(name) / "log.csv"
    if path.exists():
        with path.open(newline="") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return list(card.metrics.get("fitted_on", {}).get("log", []))


def _strips(chosen: argparse.Namespace, named: dict[str, Named], folder: Path) -> list[str]:
    """One strip for each class that there is."""
    lines = []
    for number, name in enumerate(CLASSES):
        strip = strips.choose(named, number, chosen.seed)
        if strip is None:
            lines += [f"No beat of class {name} here.", ""]
            continue
        record = library.read(strip.record, chosen.data)
        strips.draw(strip, named[strip.record], record, folder / f"strip_{name}.png", chosen.lead)
        lines += [f"![Ten beats around one of class {name}](strip_{name}.png)", ""]
    return lines


def _scores(tree: dict[str, Any]) -> list[str]:
    """Both evaluations side by side, in %."""
    lines = [f"| % | {' | '.join(TITLES[way].partition(':')[0] for way in WAYS)} |", "|---|---|---|"]
    rows = [(f"{c} Se / +P / F1", c) for c in SCORED]
    rows.insert(2, ("S without 232", "S_without_232"))
    for title, key in rows:
        if all(key in tree[way] for way in WAYS):
            cells = (" / ".join(_percent(tree[way][key][k]) for k in ("se", "ppv", "f1")) for way in WAYS)
            lines.append(f"| {title} | {' | '.join(cells)} |")
    for title, key in (
        ("accuracy", "accuracy"),
        ("macro-F1 N,S,V", "macro_f1_nsv"),
        ("macro-F1 N,S,V,F", "macro_f1_nsvf"),
    ):
        lines.append(f"| {title} | {' | '.join(_with(tree[way], key) for way in WAYS)} |")
    return [*lines, "", "In brackets: 95 % bootstrap intervals over records.", ""]


def _section(title: str, file: str, text: str) -> list[str]:
    return [f"## {title}", "", f"![{title}]({file})", "", text, ""]


def _by_class(title: str, values: dict[str, float]) -> str:
    return f"{title}: " + ", ".join(f"{name} {value:.3f}" for name, value in values.items()) + "."


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _with(part: dict[str, Any], key: str) -> str:
    low, high = part["intervals_95"][key]
    return f"{_percent(part[key])} ({_percent(low)} to {_percent(high)})"
