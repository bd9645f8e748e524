"""The report's page: one Markdown file with every figure, drawn from an evaluation."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.model.weights import Card
from ecg.records import library
from ecg.records.aami import CLASSES
from trainer.figures import figures, strips
from trainer.scoring.evaluation import WAYS, Named, as_json
from trainer.scoring.tables import MEANS, class_rows, percent, short, sureness_line

CITATION: Final = (
    "Records: MIT-BIH Arrhythmia Database 1.0.0 (Open Data Commons Attribution License 1.0). Moody GB, Mark RG. The "
    "impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45-50 (2001). Goldberger A, et al. "
    "PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23):e215-e220 (2000)."
)


HELD: Final = ("mitdb", "svdb")
"""The databases of a card's cross-validation."""


def write(
    folder: Path,
    card: Card,
    found: dict[str, dict[str, Named]],
    log: list[dict[str, float]],
    title: str,
    *,
    data: Path | None,
    lead: str,
    seed: int,
) -> Path:
    """Draw all figures into a folder and write the page beside them; the page.

    log: of the fit, empty if unknown. title: name of the set of records. data: folder of these (default: the library).
    seed: of the choice of strips. Raises UserError if the folder cannot be written.
    """
    tree = as_json(found, card.doubt.unsure_below)
    try:
        lines = [
            f"# {card.name} on {title}",
            "",
            f"Made by `python -m trainer report`. {card.intended_use}",
            "",
            *_scores(tree),
            *_section("Confusion matrix", "confusion.png", "Colour: share of the cardiologists' class."),
        ]
        figures.confusion_figure({short(way): tree[way] for way in WAYS}, folder / "confusion.png")
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
        lines += _reliability(tree, card, title, folder)
        lines += [
            "## Rhythm strips",
            "",
            "Ten consecutive beats around one of each class, drawn at random; 25 mm/s, 10 mm/mV, a line every "
            "0.2 s and 0.5 mV. Upper letters: the network, end to end (red where it differs); lower: the "
            "cardiologists.",
            "",
        ]
        lines += _strips(streamed, folder, data, lead, seed)
        page = folder / "report.md"
        write_atomic({page: ("\n".join([*lines, CITATION]) + "\n").encode()})
    except OSError as error:
        raise UserError(f"cannot write {error.filename or folder}: {error.strerror}") from None
    return page


def _reliability(tree: dict[str, Any], card: Card, title: str, folder: Path) -> list[str]:
    """How far the confidence of a name can be believed: here, and on the patients held out in the cross-validation."""
    curves = {title: [list(row.values()) for row in tree["end_to_end"]["calibration"]["bins"]]}
    held = card.metrics.get("cross_validation", {})
    curves |= {f"{name}, held out": held[name]["reliability"] for name in HELD if "reliability" in held.get(name, {})}
    _, error = figures.reliability_figure(curves, folder / "reliability.png")
    said = ", ".join(f"{name} {100 * value:.1f} %" for name, value in error.items())
    lines = _section("Confidence of the names", "reliability.png", f"Expected calibration error: {said}.")
    line = sureness_line(tree["end_to_end"]["sureness"])
    return [*lines, f"{line}.", ""] if line else lines


def curve_of(name: str, card: Card) -> list[dict[str, float]]:
    """The log of a fit: from the folder of the run if the name is one, else from the card."""
    path = Path(name) / "log.csv"
    if path.exists():
        with path.open(newline="") as file:
            return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
    return list(card.metrics.get("fitted_on", {}).get("log", []))


def _strips(named: dict[str, Named], folder: Path, data: Path | None, lead: str, seed: int) -> list[str]:
    """One strip for each class among the beats."""
    lines = []
    for number, name in enumerate(CLASSES):
        strip = strips.choose(named, number, seed)
        if strip is None:
            lines += [f"No beat of class {name} here.", ""]
            continue
        record = library.read(strip.record, data)
        strips.draw(strip, named[strip.record], record, folder / f"strip_{name}.png", lead)
        lines += [f"![Ten beats around one of class {name}](strip_{name}.png)", ""]
    return lines


def _scores(tree: dict[str, Any]) -> list[str]:
    """Both evaluations side by side, in %."""
    lines = [f"| % | {' | '.join(short(way) for way in WAYS)} |", "|---|---|---|"]
    for title, key in class_rows(tree["end_to_end"]):
        cells = (" / ".join(percent(tree[way][key][k], "-") for k in ("se", "ppv", "f1")) for way in WAYS)
        row = f"{title} Se / +P / F1" if title == key else title
        lines.append(f"| {row} | {' | '.join(cells)} |")
    for title, key in MEANS:
        lines.append(f"| {title} | {' | '.join(_with(tree[way], key) for way in WAYS)} |")
    return [*lines, "", "In brackets: 95 % bootstrap intervals over records.", ""]


def _section(title: str, file: str, text: str) -> list[str]:
    return [f"## {title}", "", f"![{title}]({file})", "", text, ""]


def _by_class(title: str, values: dict[str, float]) -> str:
    return f"{title}: " + ", ".join(f"{name} {value:.3f}" for name, value in values.items()) + "."


def _with(part: dict[str, Any], key: str) -> str:
    low, high = part["intervals_95"][key]
    value, least, most = (percent(one, "-") for one in (part[key], low, high))
    return f"{value} ({least} to {most})"
