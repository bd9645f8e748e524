"""A memory over the last half minute: signal, letters, units, gates and what the verdict rests on, on one time axis."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.link.protocol import Inside, Traced
from monitor.screen.draw.envelope import envelope
from monitor.screen.draw.line import Line
from monitor.screen.draw.palette import Palette, pen
from monitor.screen.draw.paper import span_bits
from monitor.screen.draw.plaintext import clock, fit
from monitor.screen.draw.vitals import heat, title
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory
from monitor.screen.state.rhythm import BLOCKS
from monitor.screen.state.study import LOOKED_SECONDS, OWN, BedStudy

LEFT: Final = 9
"""Cells left of the pictures, for names."""
TRACE_ROWS: Final = 4
LEAST_LOSS: Final = 0.005
"""A probability that changes by less does not change."""
BESIDE_UNITS: Final = 9
"""Rows of everything but the units and the gates."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is shown: samples [first, first + columns * per_column)."""

    first: int
    per_column: float
    columns: int

    def column(self, index: int) -> int:
        """The column of a sample; -1 outside."""
        at = int((index - self.first) / self.per_column)
        return at if 0 <= at < self.columns else -1


def memory_lines(
    study: BedStudy, history: BedHistory, lead: int, width: int, height: int, palette: Palette, labels: Labels
) -> list[Line]:
    """The whole view in `height` lines. lead: number of the lead whose beats the memory reads."""
    inside = study.inside
    if study.why or inside is None or not study.traced or not history.rate:
        words = study.why or labels("memory_waits")
        return [Line().add(fit(words, width), pen(palette.dim))]
    columns = max(width - LEFT, 8)
    span = Span(int(history.next - LOOKED_SECONDS * history.rate), LOOKED_SECONDS * history.rate / columns, columns)
    rows = max(height - BESIDE_UNITS - max(len(inside.gates), 1), 1)
    spare = max(rows - -(-len(study.traced[0].hidden) // 2), 0)
    found = [
        *trace_lines(history, lead, span, TRACE_ROWS + min(spare, TRACE_ROWS), palette),
        letter_line(study.traced, span, palette, labels),
        *unit_lines(inside, study.traced, span, rows, width, palette, labels),
        *gate_lines(inside, study.traced, span, palette, labels),
        *loss_lines(inside, study.traced, span, history.rate, width, palette, labels),
    ]
    return found[:height]


def trace_lines(history: BedHistory, lead: int, span: Span, rows: int, palette: Palette) -> list[Line]:
    """The signal, from its 1st to its 99th percentile over the rows."""
    dots, per_dot = 2 * span.columns, span.per_column / 2
    start, samples = history.samples(lead, span.first, history.next)
    heard = samples[~np.isnan(samples)]
    low, high = np.percentile(heard, (0.5, 99.5)).tolist() if len(heard) else (0.0, 1.0)
    first = int(span.first / per_dot)
    lowest, highest = envelope(samples, start, first, first + dots, per_dot)
    lowest_row = 4 * rows - 1
    scale = lowest_row / max(high - low, 0.1)

    def place(values: NDArray[np.float32]) -> NDArray[np.int64]:
        found = np.clip(np.rint((high - values) * scale), 0, lowest_row)
        return np.where(np.isnan(found), -1, found).astype(np.int64)

    bits = span_bits(place(highest), place(lowest), rows)
    lines = []
    for number, row in enumerate(bits.tolist()):
        name = history.leads[lead] if number == 0 else ""
        line = Line().wire(name, pen(palette.accent, bold=True), LEFT)
        lines.append(line.add("".join(chr(0x2800 + one) if one else " " for one in row), pen(palette.trace)))
    return lines


def letter_line(traced: Sequence[Traced], span: Span, palette: Palette, labels: Labels) -> Line:
    """The letter of each beat where it lies."""
    signs = {span.column(one.index): (one.cls, palette.classes.get(one.cls, palette.text), True) for one in traced}
    return _placed(labels("letters"), signs, palette)


def _placed(name: str, signs: dict[int, tuple[str, str, bool]], palette: Palette) -> Line:
    """Signs in their columns. signs: (sign, colour, bold) by column."""
    line = Line().add(fit(name, LEFT), pen(palette.dim))
    for column in sorted(signs):
        if column >= 0:
            sign, colour, bold = signs[column]
            line.to(LEFT + column).add(sign, pen(colour, bold=bold))
    return line


def unit_lines(
    inside: Inside,
    traced: Sequence[Traced],
    span: Span,
    rows: int,
    width: int,
    palette: Palette,
    labels: Labels,
) -> list[Line]:
    """Hidden units from top to bottom, two a row; each holds its value until the next beat. Where room is short, those
    that move most.
    """
    values = np.array([one.hidden for one in traced])
    units = values.shape[1]
    chosen = np.arange(units)
    words = labels("units", n=units)
    if units > 2 * rows:
        chosen = np.sort(np.argsort(-np.ptp(values, axis=0), kind="stable")[: 2 * rows])
        words = labels("units_some", n=len(chosen), m=units)
    name = labels("own_model") if inside.model == OWN else inside.model.upper()
    lines = [title(f"{name}: {words}", width, palette)]
    runs = _held(traced, span)
    for row in range(-(-len(chosen) // 2)):
        upper = int(chosen[2 * row])
        lower = int(chosen[2 * row + 1]) if 2 * row + 1 < len(chosen) else -1
        line = Line().add(fit(str(upper + 1), LEFT), pen(palette.faint))
        for begin, end, number in runs:
            line.to(LEFT + begin)
            below = float(values[number, lower]) if lower >= 0 else 0.0
            line.add("▀" * (end - begin), pen(heat(float(values[number, upper]), palette), heat(below, palette)))
        lines.append(line)
    return lines


def _held(traced: Sequence[Traced], span: Span) -> list[tuple[int, int, int]]:
    """(from column, to column, number of the beat) of the stretches over which the memory stays as a beat left it."""
    places = [one.index for one in traced]
    last = span.first + span.columns * span.per_column
    runs = []
    for number, index in enumerate(places):
        until = places[number + 1] if number + 1 < len(places) else last
        begin = max(int((index - span.first) / span.per_column), 0)
        end = min(int((until - span.first) / span.per_column), span.columns)
        if begin < end:
            runs.append((begin, end, number))
    return runs


def gate_lines(inside: Inside, traced: Sequence[Traced], span: Span, palette: Palette, labels: Labels) -> list[Line]:
    """The mean of each gate at each beat, 0 (shut) to 1 (open), as a block's height."""
    if not inside.gates:
        return [Line().add(fit("", LEFT), pen(palette.dim)).add(labels("no_gates"), pen(palette.dim))]
    lines = []
    for number, gate in enumerate(inside.gates):
        line = Line().add(fit(labels.known(f"gate_{gate}", gate), LEFT), pen(palette.dim))
        for begin, end, beat in _held(traced, span):
            share = traced[beat].gates[number] if number < len(traced[beat].gates) else 0.0
            block = BLOCKS[min(max(round(share * 8), 0), 8)]
            colour = palette.classes.get(traced[beat].cls, palette.text)
            line.to(LEFT + begin).add(block * (end - begin - 1) + " ", pen(colour))
        lines.append(line)
    return lines


def loss_lines(
    inside: Inside,
    traced: Sequence[Traced],
    span: Span,
    rate: float,
    width: int,
    palette: Palette,
    labels: Labels,
) -> list[Line]:
    """What the present verdict would lose without each past beat: bars, and in words the one that counts most."""
    most = max((abs(loss) for _, loss in inside.moves), default=0.0)
    signs = {}
    for index, loss in inside.moves:
        if most >= LEAST_LOSS and abs(loss) >= LEAST_LOSS:
            block = BLOCKS[min(max(round(abs(loss) / most * 8), 1), 8)]
            signs[span.column(index)] = (block, palette.warm if loss > 0 else palette.cold, False)
    signs[span.column(inside.index)] = ("●", palette.classes.get(inside.cls, palette.text), True)
    lines = [title(labels("rests_on"), width, palette), _placed("", signs, palette)]
    colour = palette.classes.get(inside.cls, palette.text)
    line = Line().add(f" {inside.cls} {inside.probability:.2f} ", pen(colour, bold=True))
    if most < LEAST_LOSS:
        return [*lines, line.add(labels("rests_alone"), pen(palette.text))]
    index, loss = max(inside.moves, key=lambda move: abs(move[1]))
    places = [one.index for one in traced]
    at = bisect_right(places, index) - 1
    cls = traced[at].cls if at >= 0 and places[at] == index else "?"
    words = labels(
        "rests_most",
        cls=cls,
        s=f"{(inside.index - index) / rate:.1f}",
        at=clock(index / rate),
        p=f"{inside.probability - loss:.2f}",
    )
    return [*lines, line.add(words, pen(palette.text))]
