"""Other networks on the same bed: their running scores against the cardiologists, and the errors of the forecast."""

from __future__ import annotations

from math import isnan
from typing import Final

from ecg.records.aami import CLASSES
from ecg.records.ec57 import class_score
from monitor.link.protocol import BESIDE
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, pen
from monitor.screen.draw.plaintext import clean, fit, right
from monitor.screen.draw.truth import TruthTally
from monitor.screen.draw.vitals import title
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory
from monitor.screen.state.study import OWN, BedStudy

WIDE: Final = 33
"""Cells that Se and +P of two classes need."""
SCORED: Final = ("S", "V")
MACRO: Final = ("N", "S", "V")
NAME: Final = 11
SE: Final = 5
WAYS: Final = ("linear", "mean", "persistence")


class ModelTally:
    """The running scores of every network on a bed, over one and the same stretch of it."""

    def __init__(self) -> None:
        self.tallies: dict[str, TruthTally] = {}

    def follow(self, study: BedStudy, history: BedHistory) -> None:
        """Count what is settled by now."""
        heard = study.heard(history)
        self.tallies = {model: self.tallies.get(model, TruthTally()) for model in heard}
        for model, letters in heard.items():
            self.tallies[model].follow(letters)

    def share(self, model: str, cls: str) -> tuple[float, float]:
        """Se and +P of one class, 0 to 1; NaN where there is none."""
        score = class_score(self.tallies[model].table, CLASSES.index(cls))
        return score.sensitivity, score.predictivity

    def macro(self, model: str) -> float:
        """The mean F1 of those of N, S and V that the cardiologists have found; NaN where there is none."""
        found = []
        for cls in MACRO:
            sensitivity, predictivity = self.share(model, cls)
            if not isnan(sensitivity):
                total = sensitivity + (0.0 if isnan(predictivity) else predictivity)
                found.append(2 * sensitivity * predictivity / total if total else 0.0)
        return sum(found) / len(found) if found else float("nan")


def model_lines(
    tally: ModelTally, study: BedStudy, chosen: str, width: int, palette: Palette, labels: Labels
) -> list[Line]:
    """A line for the ward's own network and for each that a key shows. chosen: the one that is shown."""
    annotated = any(one.annotated for one in tally.tallies.values())
    wide = width >= WIDE
    head = Line().add(" " * NAME, pen(palette.dim))
    for cls in SCORED:
        words = f"{cls} Se" if wide else cls
        head.add(right(words, SE if wide else 4), pen(palette.classes[cls], bold=True))
        head.add(right("+P", 4) if wide else "", pen(palette.dim, bold=True))
    head.add(right("F1", 4), pen(palette.dim, bold=True))
    lines = [title(f"{labels('models')}  {'%' if annotated else ''}".rstrip(), width, palette)]
    if study.why:
        return [*lines, Line().add(fit(clean(study.why), width), pen(palette.priority("medium")))]
    if not annotated:
        lines.append(Line().add(fit(labels("no_truth"), width), pen(palette.dim)))
    else:
        lines.append(head)
    for number, model in enumerate((OWN, *BESIDE)):
        name = labels("own_model") if model == OWN else f"{number} {model}"
        bright = model == chosen or (model == OWN and not chosen)
        line = Line().add(fit(name, NAME), pen(palette.head if bright else palette.text, bold=bright))
        if model in study.missing:
            line.add(fit(labels("not_shipped"), width - NAME), pen(palette.dim))
        elif annotated and model in tally.tallies:
            for cls in SCORED:
                sensitivity, predictivity = tally.share(model, cls)
                if wide:
                    line.add(_percent(sensitivity, SE) + _percent(predictivity, 4), pen(palette.text))
                else:
                    total = sensitivity + predictivity
                    line.add(_percent(2 * sensitivity * predictivity / total if total else 0.0, 4), pen(palette.text))
            line.add(_percent(tally.macro(model), 4), pen(palette.text, bold=True))
        elif study.letters.get(model):
            last = study.letters[model][-1]
            line.add(f"{last.cls} {max(last.probabilities):.2f}", pen(palette.classes.get(last.cls, palette.text)))
        lines.append(line)
    if study.unread:
        lines.append(Line().add(fit(labels("unread", n=study.unread), width), pen(palette.priority("medium"))))
    return lines


def _percent(share: float, cells: int) -> str:
    return right("--" if isnan(share) else f"{100 * share:.0f}", cells)


def forecast_lines(study: BedStudy, width: int, palette: Palette, labels: Labels) -> list[Line]:
    """Errors of the last minute's forecasts in standard deviations of the signal, beside two that cost nothing."""
    lines = [title(labels("forecast"), width, palette)]
    if study.why:
        return [*lines, Line().add(fit(clean(study.why), width), pen(palette.priority("medium")))]
    if not study.errors:
        return [*lines, Line().add(fit(labels("forecast_learns"), width), pen(palette.dim))]
    cells = 6 if width >= 26 else 5
    name = max(width - 3 * cells, 6)
    head = Line().add(fit(labels("forecast_error"), name), pen(palette.dim))
    words = ("0.1 s" if cells == 6 else "0.1s", "1 s", labels("whole"))
    lines.append(head.add("".join(right(word, cells) for word in words), pen(palette.dim)))
    best = min(study.errors.values(), key=lambda each: each[2])
    for way in WAYS:
        if way in study.errors:
            told = study.errors[way]
            line = Line().add(fit(labels(f"forecast_{way}"), name), pen(palette.text, bold=told == best))
            lines.append(line.add("".join(right(f"{error:.2f}", cells) for error in told), pen(palette.text)))
    return lines
