"""One lead's sweep: a page of braille cells over which the trace runs from left to right behind an erase bar.

Pure state over arrays, no widget: `advance` draws the new signal and returns the changed columns, `runs` gives a row's
segments. The same page serves the bedside and the tiles of the central station.
"""

from __future__ import annotations

import itertools
from math import ceil, floor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style

from ecg.records.aami import CLASSES
from ecg.records.leads import Kind
from monitor.link.protocol import BeatMark
from monitor.screen.draw.envelope import envelope
from monitor.screen.draw.palette import Palette, blend, pen
from monitor.screen.draw.paper import Paper, span_bits
from monitor.screen.state.history import BedHistory

GAP_CELLS: Final = 4
"""Width of the erase bar."""
HEAD_CELLS: Final = 2
OLD_SHARE: Final = 0.72
"""Age, as a share of the page, at which the trace fades, as on phosphor."""
BEAT_SECONDS: Final = (0.16, 0.24)
"""Coloured stretch before and after the R-peak of an abnormal beat."""
BASELINE_SECONDS: Final = 2.0
BASELINE_STEP_SECONDS: Final = 0.25
BASELINE_SPEED: Final = 0.15
LEAST_PRESSURE: Final = 20.0
"""mmHg that fill a page at least: a transducer without a pulse is drawn as a line."""
OLD_PULSE: Final = 0.4
"""Share of the ground in the faded trace of a pulse."""
NORMAL, HEAD, OLD, FIRST_CLASS = 0, 1, 2, 3
GRID: Final = 15

Span = tuple[int, int]


def styles(palette: Palette, kind: Kind = "ecg") -> list[Style]:
    """Styles by number: NORMAL, HEAD, OLD, the five classes, and GRID. kind: of the signal; a pulse has its own."""
    trace, old = palette.trace, palette.old
    if kind in ("pressure", "pulse"):
        trace = palette.pressure if kind == "pressure" else palette.pulse
        old = blend(trace, palette.background, OLD_PULSE)
    chosen = [pen(trace), pen(palette.head, bold=True), pen(old)]
    chosen += [pen(palette.classes[cls], bold=cls != "N") for cls in CLASSES]
    chosen += [pen(palette.trace)] * (GRID - len(chosen))
    return [*chosen, pen(palette.grid)]


def baseline(samples: NDArray[np.float32]) -> float:
    """The level at which a lead is centred, mV: the median; 0 without a sample."""
    heard = samples[~np.isnan(samples)]
    return float(np.median(heard)) if len(heard) else 0.0


def tint_of(cls: str) -> int:
    """The style number of the trace around a beat of that class."""
    return NORMAL if cls == "N" or cls not in CLASSES else FIRST_CLASS + CLASSES.index(cls)


class SweepPage:
    """One lead's page.

    trace: uint16 [rows, columns], braille bits. tint: int8 [columns], style numbers. head: the newest drawn dot,
    counted from the stream's first sample. kind: of the lead; what is no ECG is scaled to the page.
    """

    def __init__(self, paper: Paper, lead: int = 0, kind: Kind = "ecg") -> None:
        self.paper, self.lead, self.kind = paper, lead, kind
        self.scale = 1.0
        self.trace = np.zeros((paper.rows, paper.columns), np.uint16)
        self.tint = np.zeros(paper.columns, np.int8)
        self.head = -1
        self.level = 0.0
        self._levelled = 0
        self._generation = -1
        self._spans: tuple[NDArray[np.int64], NDArray[np.int64]] = (
            np.full(paper.width, -1, np.int64),
            np.full(paper.width, -1, np.int64),
        )
        self._pending: list[BeatMark] = []
        self._beats_seen = -1

    def cell_of(self, dot: int) -> int:
        """The column of cells that holds a dot."""
        return dot % self.paper.width // 2

    def shows(self, dot: int) -> bool:
        """Is this dot on the page: drawn, and not wiped yet?."""
        return self.head - self.paper.width + 2 * GAP_CELLS < dot <= self.head

    def advance(self, history: BedHistory, position: float) -> list[Span]:
        """Draw the signal up to sample `position`; returns the changed columns of cells as spans [from, to)."""
        paper = self.paper
        if not history.rate:
            return []
        fresh = self._generation != history.generation
        if fresh:
            self._begin(history, position)
        per_dot = history.rate / paper.dots_per_second
        head = floor(position / per_dot) - 1
        oldest = max(head - paper.width + 1, ceil(history.first / per_dot))
        begin = oldest if fresh or self.head < oldest - 1 else self.head + 1
        if begin > head:
            return self._mark(history, per_dot)
        self._follow(history, position)
        start, samples = history.samples(self.lead, floor(begin * per_dot) - 2, floor((head + 1) * per_dot) + 2)
        samples = samples * np.float32(self.scale)
        low, high = envelope(samples, start, begin, head + 1, per_dot)
        places = np.arange(begin, head + 1) % paper.width
        self._spans[0][places] = paper.rows_of(high, self.level)
        self._spans[1][places] = paper.rows_of(low, self.level)
        following = begin == self.head + 1
        self.tint[places[places % 2 == 0] // 2 if following else places // 2] = NORMAL
        before, self.head = self.head, head
        ahead = np.arange(head + 1, head + 1 + 2 * GAP_CELLS) % paper.width
        for span in self._spans:
            span[ahead] = -1
        if fresh or head - before >= paper.width - 2 * GAP_CELLS:
            changed = [(0, paper.columns)]
            self.trace[:] = span_bits(*self._spans, paper.rows)
        else:
            first, last = (before + 1) // 2, (head + 2 * GAP_CELLS) // 2
            cells = np.arange(first, last + 1) % paper.columns
            dots = np.repeat(cells * 2, 2) + np.tile([0, 1], len(cells))
            self.trace[:, cells] = span_bits(self._spans[0][dots], self._spans[1][dots], paper.rows)
            changed = _around(first - HEAD_CELLS - 1, last + 1, paper.columns)
            fading = head // 2 - int(paper.columns * OLD_SHARE)
            changed += _around(fading - (head - before) // 2 - 1, fading + 1, paper.columns)
        return changed + self._mark(history, per_dot)

    def tints(self) -> NDArray[np.int8]:
        """Style number of the trace in each column: int8 [columns]."""
        age = (self.head // 2 - np.arange(self.paper.columns)) % self.paper.columns
        tints = np.where((self.tint == NORMAL) & (age > self.paper.columns * OLD_SHARE), OLD, self.tint)
        return np.where(age < HEAD_CELLS, HEAD, tints).astype(np.int8)

    def picture(self) -> tuple[NDArray[np.uint32], NDArray[np.int8]]:
        """(code points, style numbers) of the whole page: uint32 and int8 [rows, columns]."""
        gap = np.zeros(self.paper.columns, bool)
        gap[(self.head // 2 + 1 + np.arange(GAP_CELLS)) % self.paper.columns] = True
        return paint(self.trace, self.tints(), np.where(gap & (self.head >= 0), 0, self.paper.grid))

    def _begin(self, history: BedHistory, position: float) -> None:
        self._generation = history.generation
        self.head = -1
        for span in self._spans:
            span[:] = -1
        self.tint[:] = NORMAL
        self._levelled = int(position)
        recent = history.samples(self.lead, int(position - 2 * BASELINE_SECONDS * history.rate), int(position))[1]
        self.scale, self.level = (1.0, baseline(recent)) if self.kind == "ecg" else self._fitted(recent)
        self._pending, self._beats_seen = [], -1

    def _fitted(self, samples: NDArray[np.float32]) -> tuple[float, float]:
        """Scale and level of a signal that is no ECG."""
        return self.paper.fitted(samples, LEAST_PRESSURE if self.kind == "pressure" else 0.0)

    def _follow(self, history: BedHistory, position: float) -> None:
        """Let the level follow a wandering baseline slowly, in steps of signal time."""
        step = BASELINE_STEP_SECONDS * history.rate
        while position - self._levelled >= step:
            missed = int((position - self._levelled) / step)
            self._levelled += int(step) * max(missed - 8, 1)
            since = int(self._levelled - BASELINE_SECONDS * history.rate)
            samples = history.samples(self.lead, since, self._levelled)[1]
            if self.kind != "ecg":
                scale, level = self._fitted(samples)
                self.scale += BASELINE_SPEED * (scale - self.scale)
                self.level += BASELINE_SPEED * (level - self.level)
            elif len(samples):
                self.level += BASELINE_SPEED * (baseline(samples) - self.level)

    def _mark(self, history: BedHistory, per_dot: float) -> list[Span]:
        """Colour the trace around new abnormal beats once it is drawn."""
        beats = history.beats if self.kind == "ecg" else []
        new = beats[-1].index if beats else -1
        if new > self._beats_seen:
            since = max(self._beats_seen + 1, int((self.head - self.paper.width) * per_dot))
            self._pending += [beat for beat in history.beats_between(since, new + 1) if tint_of(beat.cls)]
            self._beats_seen = new
        changed: list[Span] = []
        waiting = []
        for beat in self._pending:
            first = floor((beat.index - BEAT_SECONDS[0] * history.rate) / per_dot)
            last = floor((beat.index + BEAT_SECONDS[1] * history.rate) / per_dot)
            if last > self.head:
                waiting.append(beat)
                continue
            dots = np.arange(max(first, self.head - self.paper.width + 2 * GAP_CELLS + 1), last + 1)
            if len(dots):
                self.tint[np.unique(dots % self.paper.width // 2)] = tint_of(beat.cls)
                changed += _around(int(dots[0]) // 2, int(dots[-1]) // 2 + 1, self.paper.columns)
        self._pending = waiting
        return changed


def paint(
    trace: NDArray[np.uint16], tints: NDArray[np.int8], grid: NDArray[np.uint16]
) -> tuple[NDArray[np.uint32], NDArray[np.int8]]:
    """Trace over grid: uint32 code points and int8 style numbers, both [rows, columns]; -1 where a cell is empty."""
    drawn = trace > 0
    code = np.where(drawn, trace, grid).astype(np.uint32)
    style = np.where(drawn, tints, np.where(code > 0, GRID, -1)).astype(np.int8)
    return np.where(code > 0, code + 0x2800, 0x20).astype(np.uint32), style


def runs(codes: NDArray[np.uint32], numbers: NDArray[np.int8], chosen: list[Style]) -> list[Segment]:
    """One row as segments of equal style; empty cells join the run before them."""
    where = np.maximum.accumulate(np.where(numbers >= 0, np.arange(len(numbers)), -1))
    filled = np.where(where >= 0, numbers[where], GRID)
    cuts = [0, *(np.flatnonzero(np.diff(filled)) + 1).tolist(), len(filled)]
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    return [Segment(text[a:b], chosen[filled[a]]) for a, b in itertools.pairwise(cuts)]


def _around(first: int, last: int, columns: int) -> list[Span]:
    """Columns first .. last - 1 of a circular page, as spans within it."""
    if last - first >= columns:
        return [(0, columns)]
    a, b = first % columns, (last - 1) % columns + 1
    return [(a, b)] if a < b else [(a, columns), (0, b)]
