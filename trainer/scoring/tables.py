"""Scores as tables on a terminal, in %."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from rich.table import Table

from ecg.model.weights import Card
from ecg.records.aami import CLASSES
from trainer.scoring.scores import SCORED

TITLES: Final = {
    "reference_beats": "Beats at the annotated R-peaks",
    "end_to_end": "End to end: beats as our own detector finds them in the stream",
}
"""Titles of the two evaluations, by their key in JSON."""
MEANS: Final = (("accuracy", "accuracy"), ("macro-F1 N,S,V", "macro_f1_nsv"), ("macro-F1 N,S,V,F", "macro_f1_nsvf"))
"""Scores over all classes: title and key."""


def tables(title: str, part: dict[str, Any]) -> list[Table]:
    """The scores, the confusion matrix and the records of one evaluation."""
    found = [_scores(title, part), _confusion(part), _records(part), _worst(part)]
    return [*found, _calibration(part["calibration"], part["sureness"])] if "calibration" in part else found


def short(way: str) -> str:
    """The title of an evaluation, without its explanation."""
    return TITLES[way].partition(":")[0]


def random_split_line(card: Card) -> str:
    """The score of a random split in one sentence, under its own name; "" if the card holds none."""
    flattering = card.metrics.get("random_split")
    if not flattering:
        return ""
    return (
        "For comparison only, a RANDOM SPLIT of beats, the same patients on both sides (it flatters; other "
        f"weights, same recipe): macro-F1 N,S,V {flattering['macro_f1_nsv']:.3f}, "
        f"S F1 {flattering['S']['f1']:.3f}, "
        f"V F1 {flattering['V']['f1']:.3f}, accuracy {flattering['accuracy']:.3f}"
    )


def class_rows(part: dict[str, Any]) -> list[tuple[str, str]]:
    """Title and key of each scored class of an evaluation, S without record 232 among them."""
    rows = [(name, name) for name in SCORED]
    if part.get("S_without_232") and "232" in part["records"]:
        rows.insert(2, ("S without 232", "S_without_232"))
    return rows


def percent(value: float | None, nothing: str = "") -> str:
    """A share in %, or `nothing` for None."""
    return nothing if value is None else f"{100 * value:.1f}"


def spread(values: list[float]) -> str:
    """Mean ± standard deviation over seeds, in %."""
    known = np.array([value for value in values if not np.isnan(value)])
    if not len(known):
        return ""
    deviation = f" ± {100 * known.std(ddof=1):.1f}" if len(known) > 1 else ""
    return f"{100 * known.mean():.1f}{deviation}"


def rows_table(name: str, found: dict[str, Any]) -> Table:
    """The scores of a recipe over rows, under the name of their split."""
    table = Table(title=f"{name}: RANDOM SPLIT of beats, the same patients on both sides (it flatters)")
    table.add_column("")
    for column in CLASSES:
        table.add_column(column, justify="right")
    for label, counts in zip(CLASSES, found["confusion"], strict=True):
        table.add_row(label, *(str(n) for n in counts))
    table.add_section()
    table.add_row("F1", *(f"{found['f1'][c]:.3f}" for c in CLASSES))
    return table


def _scores(title: str, part: dict[str, Any]) -> Table:
    table = Table(title=f"{title}: {part['beats']} beats, % (95 % interval over records)")
    for name in ("class", "Se", "+P", "F1"):
        table.add_column(name, justify="left" if name == "class" else "right")
    bounds = part["intervals_95"]
    for row, key in class_rows(part):
        table.add_row(row, *(_with(part[key][k], bounds[f"{key}.{k}"]) for k in ("se", "ppv", "f1")))
    for name, values in part["ec57"].items():
        table.add_row(f"{name}, EC57's +P", *(percent(values[k]) for k in ("se", "ppv", "f1")))
    table.add_section()
    for name, key in MEANS:
        table.add_row(name, "", "", _with(part[key], bounds[key]))
    return table


def _confusion(part: dict[str, Any]) -> Table:
    classes = part["confusion"]["classes"]
    table = Table(title="Cardiologists' class by row, the network's by column")
    table.add_column("")
    for name in classes:
        table.add_column("missed" if name == "none" else name, justify="right")
    for name, row in zip(classes, part["confusion"]["reference_by_named"], strict=True):
        table.add_row("no beat" if name == "none" else name, *(str(n) for n in row))
    return table


def _records(part: dict[str, Any]) -> Table:
    table = Table(title="Record by record: all beats right, and Se/+P of each class, %")
    table.add_column("record")
    for name in ("beats", "right", *SCORED):
        table.add_column(name, justify="right")
    for name, one in part["records"].items():
        pairs = (f"{percent(one[c]['se'])}/{percent(one[c]['ppv'])}".strip("/") for c in SCORED)
        table.add_row(name, str(one["beats"]), percent(one["accuracy"]), *pairs)
    return table


def _worst(part: dict[str, Any]) -> Table:
    table = Table(title="Most N misnamed")
    table.add_column("record")
    table.add_column("% of its N", justify="right")
    for one in part["most_N_misnamed"]:
        table.add_row(one["record"], percent(one["share"]))
    return table


def sureness_line(part: dict[str, Any]) -> str:
    """How many letters are unsure, and how often these and the others are right; "" where no level was chosen."""
    if not part["unsure_below"]:
        return ""
    return (
        f"Unsure, below {percent(part['unsure_below'])} %: {percent(part['unsure'], '-')} % of the beats, right "
        f"{percent(part['unsure_right'], '-')} %; the others are right {percent(part['sure_right'], '-')} %"
    )


def _calibration(part: dict[str, Any], sureness: dict[str, Any]) -> Table:
    title = f"Confidence of the names: calibration error {percent(part['expected_error'])} %"
    table = Table(title=title, caption=sureness_line(sureness))
    table.add_column("confidence from")
    for name in ("share of beats", "mean", "right"):
        table.add_column(name, justify="right")
    for row in part["bins"]:
        table.add_row(*(percent(row[key]) for key in ("from", "share", "confidence", "right")))
    return table


def _with(value: float | None, bounds: list[float | None]) -> str:
    low, high = bounds
    if value is None or low is None or high is None:
        return percent(value)
    return f"{100 * value:.1f} ({100 * low:.0f} to {100 * high:.0f})"
