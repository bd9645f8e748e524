"""The figures of the truth view: the model against the cardiologists, matched as in EC57, updated with the stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASS_OF, CLASSES
from ecg.records.ec57 import class_score, confusion, match, match_window
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, pen
from monitor.screen.draw.plaintext import right
from monitor.screen.draw.vitals import title
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory

SETTLED_SECONDS = 1.0
"""Newer beats may still find their partner and are not counted yet."""
CLOSED_SECONDS = 60.0
"""Older beats are counted for good and may be forgotten."""
Z = len(CLASSES)


class TruthTally:
    """The confusion table of one bed's stream so far: rows the cardiologists' classes, columns the model's."""

    def __init__(self) -> None:
        self.table: NDArray[np.int64] = np.zeros((Z + 1, Z + 1), np.int64)
        self.annotated = False
        self._closed = np.zeros((Z + 1, Z + 1), np.int64)
        self._border = 0
        self._generation = -1

    def follow(self, history: BedHistory) -> None:
        """Count the beats that are settled by now."""
        if history.generation != self._generation:
            self._generation = history.generation
            self._closed[:] = 0
            self.table = self._closed.copy()
            self._border = history.first
            self.annotated = False
        end = history.next - int(SETTLED_SECONDS * history.rate)
        theirs = [
            (n.index, CLASS_OF[n.symbol]) for n in history.truth_between(self._border, end) if n.symbol in CLASS_OF
        ]
        self.annotated = self.annotated or bool(theirs)
        if not self.annotated:
            return
        ours = [(beat.index, beat.cls) for beat in history.beats_between(self._border, end)]
        window = match_window(history.rate)
        self.table = self._closed + _table(theirs, ours, window)
        old = end - int(CLOSED_SECONDS * history.rate)
        border = _quiet(theirs, ours, old, 2 * window)
        if border > self._border:
            before = [beat for beat in theirs if beat[0] < border], [beat for beat in ours if beat[0] < border]
            self._closed = self._closed + _table(*before, window)
            self._border = border


def _table(theirs: list[tuple[int, str]], ours: list[tuple[int, str]], window: int) -> NDArray[np.int64]:
    reference, test = (np.array([index for index, _ in beats], np.int64) for beats in (theirs, ours))
    named, called = (np.array([CLASSES.index(cls) for _, cls in beats], np.int64) for beats in (theirs, ours))
    return confusion(named, called, *match(reference, test, window))


def _quiet(theirs: list[tuple[int, str]], ours: list[tuple[int, str]], before: int, room: int) -> int:
    """The last sample index before `before` with no beat within half of `room`: no pair is cut there; -1 for none."""
    places = sorted(index for index, _ in theirs + ours if index < before)
    for early, late in zip(places[-2::-1], places[:0:-1], strict=False):
        if late - early > room:
            return (early + late) // 2
    return -1


def truth_lines(tally: TruthTally, width: int, height: int, palette: Palette, labels: Labels) -> list[Line]:
    """Se and +P of detection and of each class, and the confusion matrix."""
    lines = [title(f"{labels('truth')}  Se / +P %", width, palette)]
    if not tally.annotated:
        return [*lines, Line().add(labels("no_truth"), pen(palette.dim))]
    table = tally.table
    found = int(table[:Z, :Z].sum())
    missed, false = int(table[:Z, Z].sum()), int(table[Z, :Z].sum())
    both = _percent(found, missed), _percent(found, false)
    lines.append(_score_line(labels("detection"), *both, palette.text, palette))
    for place, cls in enumerate(CLASSES):
        of_class = class_score(table, place)
        if table[place].sum() or table[:, place].sum():
            both = _percent(of_class.found, of_class.missed), _percent(of_class.found, of_class.false)
            lines.append(_score_line(cls, *both, palette.classes[cls], palette))
    if height - len(lines) >= Z + 4:
        lines += _matrix(table, width, palette, labels)
    return [*lines, Line()][: max(height, 0)]


def _percent(found: int, not_found: int) -> str:
    total = found + not_found
    return f"{100 * found / total:.1f}" if total else "--"


def _score_line(name: str, se: str, ppv: str, colour: str, palette: Palette) -> Line:
    line = Line().add(name, pen(colour, bold=True)).to(7)
    return line.add(right(se, 7), pen(palette.text)).add(right(ppv, 7), pen(palette.text))


def _matrix(table: NDArray[np.int64], width: int, palette: Palette, labels: Labels) -> list[Line]:
    """The confusion matrix: right answers in their class's colour, wrong answers marked."""
    cell = max((width - 3) // (Z + 1), 3)
    head = Line().add("   ", pen(palette.dim))
    for cls in (*CLASSES, "–"):
        head.add(right(cls, cell), pen(palette.classes.get(cls, palette.dim), bold=True))
    lines = [Line().add(f"↓ {labels('truth_row')}  → {labels('model_row')}", pen(palette.dim)), head]
    for row, cls in enumerate((*CLASSES, "–")):
        line = Line().add(f" {cls} ", pen(palette.classes.get(cls, palette.dim), bold=True))
        for column in range(Z + 1):
            count = int(table[row, column])
            if row == column == Z:
                line.add(" " * cell, pen(palette.dim))
                continue
            colour = (
                palette.faint
                if not count
                else palette.classes.get(cls, palette.dim)
                if row == column
                else (palette.priority("medium"))
            )
            text = str(count) if count else "·"
            line.add(right(text if len(text) < cell else text[: cell - 2] + "…", cell), pen(colour, bold=row == column))
        lines.append(line)
    return lines
