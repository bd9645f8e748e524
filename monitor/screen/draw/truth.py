"""The figures of the truth view: the model against the cardiologists, matched as in EC57, updated with the stream."""

from __future__ import annotations

from math import isnan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASS_OF, CLASSES
from ecg.records.ec57 import Score, class_score, confusion, match, match_window
from monitor.link.protocol import BeatMark, TruthNote
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, pen
from monitor.screen.draw.plaintext import right
from monitor.screen.draw.vitals import title
from monitor.screen.labels import Labels

SETTLED_SECONDS = 1.0
"""Newer beats may still find their partner and are not counted yet."""
CLOSED_SECONDS = 60.0
"""Older beats are counted for good and may be forgotten."""
Z = len(CLASSES)
SCORE = 7
"""Cells of a score."""
MATRIX_WIDTH = 38
"""Least cells of the matrix with scores beside it."""


class Letters(Protocol):
    """A network's letters and the cardiologists', growing. generation: another one, and they begin anew."""

    @property
    def generation(self) -> int:
        """Changes where they begin anew."""

    @property
    def first(self) -> int:
        """First sample index that is known."""

    @property
    def next(self) -> int:
        """The sample index after the last."""

    @property
    def rate(self) -> float:
        """Hz."""

    def beats_between(self, start: int, end: int) -> list[BeatMark]:
        """Its letters within [start, end)."""

    def truth_between(self, start: int, end: int) -> list[TruthNote]:
        """The cardiologists' within [start, end)."""


class TruthTally:
    """The confusion table of one bed's stream so far: rows the cardiologists' classes, columns the model's.

    Counted as `trainer evaluate` counts a record: every beat from the stream's first on, a pair within the match window
    of EC57, what was missed or misnamed against the class, beats of either side within ventricular flutter left out.
    Where the screen came later, it begins between two beats of what it was told.
    """

    def __init__(self) -> None:
        self.table: NDArray[np.int64] = np.zeros((Z + 1, Z + 1), np.int64)
        self.annotated = False
        self._closed = np.zeros((Z + 1, Z + 1), np.int64)
        self._border = 0
        self._begun = False
        self._fluttering = False
        self._generation = -1

    def follow(self, history: Letters) -> None:
        """Count the beats that are settled by now."""
        if history.generation != self._generation:
            self._generation = history.generation
            self._closed[:] = 0
            self.table = self._closed.copy()
            self._border = history.first
            self._begun = history.first == 0
            self._fluttering = False
            self.annotated = False
        end = history.next - int(SETTLED_SECONDS * history.rate)
        window = match_window(history.rate)
        if not self._begun:
            self._begin(history, end, window)
        notes = history.truth_between(self._border, end)
        theirs = [(note.index, CLASS_OF[note.symbol]) for note in notes if note.symbol in CLASS_OF]
        self.annotated = self.annotated or bool(theirs)
        if not self.annotated:
            return
        ours = [(beat.index, beat.cls) for beat in history.beats_between(self._border, end)]
        spans = _flutter(notes, self._border if self._fluttering else -1, end)
        self.table = self._closed + _table(_outside(theirs, spans), _outside(ours, spans), window)
        border = _quiet(theirs, ours, end - int(CLOSED_SECONDS * history.rate), 2 * window)
        if border > self._border:
            reference, test = ([beat for beat in beats if beat[0] < border] for beats in (theirs, ours))
            self._closed = self._closed + _table(_outside(reference, spans), _outside(test, spans), window)
            self._border = border
            self._fluttering = any(first < border <= last for first, last in spans)

    def _begin(self, history: Letters, end: int, window: int) -> None:
        """Begin at a place that cuts no pair: the first beat that is known may have its partner before."""
        marks = [note.index for note in history.truth_between(self._border, end) if note.symbol in CLASS_OF]
        for place in sorted([*marks, *(beat.index for beat in history.beats_between(self._border, end))]):
            if place - self._border > window:
                self._begun = True
                return
            self._border = place + 1


def _flutter(notes: list[TruthNote], since: int, end: int) -> list[tuple[int, int]]:
    """Spans of ventricular flutter, from "[" to "]" or to the end. since: it has lasted since then, -1: it has not."""
    spans = []
    begin = since
    for note in notes:
        if note.symbol == "[" and begin < 0:
            begin = note.index
        elif note.symbol == "]" and begin >= 0:
            spans.append((begin, note.index))
            begin = -1
    return [*spans, (begin, end)] if begin >= 0 else spans


def _outside(beats: list[tuple[int, str]], spans: list[tuple[int, int]]) -> list[tuple[int, str]]:
    """The beats outside flutter."""
    return [beat for beat in beats if not any(first <= beat[0] <= last for first, last in spans)]


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
    """Se and +P of detection and of each class, and the confusion matrix where there is room for it."""
    head = title(f"{labels('truth')}  Se / +P %", width, palette)
    if not tally.annotated:
        lines = [head, Line().add(labels("no_truth"), pen(palette.dim))]
    elif width >= MATRIX_WIDTH:
        lines = _matrix(tally.table, width, palette, labels)
    else:
        lines = [head, _detection(tally.table, width, palette, labels)]
        for place, cls in enumerate(CLASSES):
            line = Line().add(cls, pen(palette.classes[cls], bold=True)).to(7)
            lines.append(_scores(line, class_score(tally.table, place), palette))
    return lines[: max(height, 0)]


def _detection(table: NDArray[np.int64], width: int, palette: Palette, labels: Labels) -> Line:
    """Beats found, whatever they were named."""
    found, missed, false = (int(part.sum()) for part in (table[:Z, :Z], table[:Z, Z], table[Z, :Z]))
    line = Line().add(labels("detection"), pen(palette.text, bold=True))
    return _scores(line.to(width - 2 * SCORE if width >= MATRIX_WIDTH else 7), Score(found, missed, false), palette)


def _scores(line: Line, score: Score, palette: Palette) -> Line:
    for share in (score.sensitivity, score.predictivity):
        line.add(right("--" if isnan(share) else f"{100 * share:.1f}", SCORE), pen(palette.text))
    return line


def _matrix(table: NDArray[np.int64], width: int, palette: Palette, labels: Labels) -> list[Line]:
    """The confusion matrix, and Se and +P beside it: right answers in their class's colour, wrong answers marked."""
    cells = [(width - 2 * SCORE - 3) // (Z + 1)] * (Z + 1)
    cells[0] = width - 2 * SCORE - 2 - sum(cells[1:])
    axes = f"{labels('truth')}  ↓ {labels('truth_row')}  → {labels('model_row')}"
    head = Line().add("  ", pen(palette.dim))
    for cls, cell in zip((*CLASSES, "–"), cells, strict=True):
        head.add(right(cls, cell), pen(palette.classes.get(cls, palette.dim), bold=True))
    head.add(right("Se", SCORE) + right("+P %", SCORE), pen(palette.dim, bold=True))
    lines = [title(axes, width, palette), head]
    for row, cls in enumerate((*CLASSES, "–")):
        own = palette.classes.get(cls, palette.dim)
        line = Line().add(f"{cls} ", pen(own, bold=True))
        for column, cell in enumerate(cells):
            count = int(table[row, column])
            colour = palette.faint if not count else own if row == column else palette.priority("medium")
            text = " " if row == column == Z else _short(count, cell) if count else "·"
            line.add(right(text, cell), pen(colour, bold=row == column))
        lines.append(_scores(line, class_score(table, row), palette) if row < Z else line)
    return [*lines, _detection(table, width, palette, labels)]


def _short(count: int, cell: int) -> str:
    """A count in less than `cell` cells: in thousands where it is too long."""
    return str(count) if len(str(count)) < cell else f"{count // 1000}k"
