"""Clinical rhythm strips: ten consecutive real beats, the network's and the cardiologists' letters over them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ecg.records.aami import CLASSES
from ecg.records.record import Record
from trainer.figures.figures import clinical, save
from trainer.scoring.evaluation import Named

BEATS: Final = 10
NEON: Final = "#39ff14"
WRONG: Final = "#ff4040"
PALE: Final = "#9fd8a5"
MARGIN_SECONDS: Final = 0.4
LETTERS_MV: Final = 1.4
"""Room for the letters above the signal."""
LEFT_INCHES: Final = 0.95
HEAD_INCHES: Final = 0.3


@dataclass(frozen=True, slots=True)
class Strip:
    """Ten consecutive beats of a record. first: position of the first of them among the beats found."""

    record: str
    first: int


def choose(named: dict[str, Named], wanted: int, seed: int = 0) -> Strip | None:
    """A place, drawn at random, where a beat of class number `wanted` stands in the middle; None without any."""
    places = [
        (name, int(at))
        for name, one in named.items()
        for at in np.flatnonzero(one.cut.classes == wanted)
        if BEATS // 2 <= at < len(one.cut) - BEATS // 2
    ]
    if not places:
        return None
    name, at = places[int(np.random.default_rng(seed).integers(len(places)))]
    return Strip(name, at - BEATS // 2)


def draw(strip: Strip, one: Named, record: Record, path: Path, lead: str = "MLII") -> Path:
    """The strip, neon green on black: the network's letters above, the cardiologists' below them."""
    beats = slice(strip.first, strip.first + BEATS)
    index = one.cut.index[beats]
    named = one.probabilities[beats].argmax(axis=1)
    known = one.cut.classes[beats]
    margin = round(MARGIN_SECONDS * record.rate)
    first, last = max(int(index[0]) - margin, 0), min(int(index[-1]) + margin, len(record.samples) - 1)
    signal = record.millivolts(record.best_lead(lead))[first : last + 1]
    signal = signal - np.median(signal)
    seconds = np.arange(first, last + 1) / record.rate
    low, top = _limits(signal)
    length = seconds[-1] - seconds[0]
    inches = min(max(length * 25 / 25.4, 5), 14)
    height = inches * 0.4 * (top + LETTERS_MV - low) / length
    whole = (inches + LEFT_INCHES + 0.1, height + HEAD_INCHES + 0.05)
    figure = Figure(figsize=whole, facecolor="black")
    axes = figure.add_axes((LEFT_INCHES / whole[0], 0.05 / whole[1], inches / whole[0], height / whole[1]))
    axes.plot(seconds, signal, color=NEON, linewidth=1.2)
    axes.set_xlim(seconds[0], seconds[-1])
    axes.set_ylim(low, top + LETTERS_MV)
    clinical(axes)
    for at, ours, theirs in zip(index / record.rate, named, known, strict=True):
        right = ours == theirs
        axes.text(at, top + 0.9, CLASSES[ours], color=NEON if right else WRONG, ha="center", weight="bold")
        axes.text(at, top + 0.3, CLASSES[theirs] if theirs >= 0 else "-", color=PALE, ha="center")
    axes.text(-0.005, top + 0.9, "model", transform=_left(axes), color=NEON, ha="right", fontsize=8)
    axes.text(-0.005, top + 0.3, "cardiologists", transform=_left(axes), color=PALE, ha="right", fontsize=8)
    minutes, rest = divmod(float(seconds[0]), 60)
    name = record.leads[record.best_lead(lead)]
    title = f"record {record.name}, {name}, from {minutes:.0f}:{rest:04.1f}"
    figure.text(LEFT_INCHES / whole[0], 1 - 0.2 / whole[1], title, color=PALE, fontsize=9)
    return save(figure, path)


def _limits(signal: NDArray[np.float32]) -> tuple[float, float]:
    """Bottom and top in mV, on lines of the grid."""
    return float(np.floor(signal.min() / 0.5) * 0.5), float(np.ceil(max(signal.max(), 0.5) / 0.5) * 0.5)


def _left(axes: object) -> object:
    """Coordinates: across in shares of the axes, up in mV."""
    return axes.get_yaxis_transform()  # type: ignore[attr-defined]
