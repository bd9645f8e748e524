"""Made-up versions of a record: the same beats, some of them early, in runs, or at irregular times.

DS1 has few supraventricular beats, and most of them are those of a few patients. A version moves beats by stretching
or shortening what lies between the T wave of one and the P wave of the next; where a beat comes so early that its
P wave falls on the T wave before it, the two are added. Normal beats that are made early become class S, and their
P wave is changed; normal beats in stretches of irregular rhythm stay N, with their P wave small, as in atrial
fibrillation, or as it was, as in sinus arrhythmia. The result is a record like any other: the same signal path cuts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import aami, library
from ecg.record import Annotations, Record, pick_lead
from trainer.cache import SOURCES, path_hash
from trainer.cutting import Source, gapless

Floats = NDArray[np.float64]

BEFORE_P: Final = 0.22
"""s before the R-peak: where a beat begins."""
AFTER_T: Final = 0.40
"""s after the R-peak: where it ends, at a heart rate of 60/min."""
SHORTEST: Final = 0.30
"""s, of RR intervals made here."""
GAP: Final = 2.0
"""s; longer RR intervals (ventricular flutter, noise) are left alone."""


COARSE: Final = 64
"""Steps of a beat's size in the file of versions: far finer than the noise that a fit adds."""
MAIN_LEAD: Final = 4
"""The first versions are of the lead that is analysed; those after them of the record's other one."""


@dataclass(slots=True)
class Plan:
    """What is to be done with each beat: factor of the RR interval before it, factor of its P wave, early or not."""

    interval: Floats
    p_wave: Floats
    early: NDArray[np.bool_]


def version_key(name: str, number: int) -> tuple[Source, str]:
    """Where a version stands among cut beats: every other one is cut at our own detector's R-peaks."""
    return SOURCES[number % len(SOURCES)], f"{name}~{number}"


def versions_path(beats: Path) -> Path:
    """The file of versions that stands beside a file of cut beats."""
    return beats.with_name(f"{beats.stem}-versions.npz")


def code_hash() -> str:
    """SHA-256 over the code that decides what a version's cut beats are."""
    return path_hash(Path(__file__))


def version(record: Record, number: int) -> Record:
    """A made-up version of one lead of an annotated record, always the same for the same number."""
    notes = record.annotations
    assert notes is not None
    beat = np.array([symbol in aami.CLASS_OF for symbol in notes.symbol], bool)
    inside = (notes.index > 0) & (notes.index < len(record.samples) - 1)
    peaks = notes.index[beat & inside]
    normal = np.array([aami.CLASS_OF[s] == "N" for s in notes.symbol[beat & inside]], bool)
    rng = np.random.default_rng([number, *record.name.encode()])
    made = plan(peaks / record.rate, normal, rng)
    main = pick_lead(record.leads)
    column = main if number < MAIN_LEAD or len(record.leads) == 1 else int(main == 0)
    millivolts = record.millivolts(column)
    millivolts[record.samples[:, column] == library.MISSING] = np.nan
    signal, moved = move(gapless(millivolts).astype(np.float64), notes.index, peaks, made, record.rate)
    symbol = notes.symbol.copy()
    symbol[np.flatnonzero(beat & inside)[made.early]] = "A"
    samples = np.rint(signal * record.gain[column] + record.baseline[column]).astype(np.int16)
    return Record(
        f"{record.name}~{number}",
        record.rate,
        (record.leads[column],),
        record.gain[column : column + 1],
        record.baseline[column : column + 1],
        samples[:, None],
        record.source,
        Annotations(moved, symbol, notes.rhythm),
    )


def plan(peaks: Floats, normal: NDArray[np.bool_], rng: np.random.Generator) -> Plan:
    """Draw what happens to each beat. peaks: R-peaks, s. normal: which beats are N."""
    count = len(peaks)
    made = Plan(np.ones(count), np.ones(count), np.zeros(count, bool))
    rr = np.diff(peaks, prepend=peaks[:1])
    steady = np.zeros(count, bool)
    steady[2:] = (
        normal[2:] & normal[1:-1] & (np.abs(np.log(np.maximum(rr[2:], 0.01) / np.maximum(rr[1:-1], 0.01))) < 0.15)
    )
    steady &= rr < GAP
    movable = normal & np.r_[False, normal[:-1]] & (rr < GAP) & (rr > SHORTEST)
    at = 3
    while at < count - 3:
        kind = rng.choice(5, p=(0.5, 0.12, 0.12, 0.13, 0.13))
        if kind == 0:
            length = _single(made, rr, steady, at, rng)
        elif kind == 1:
            length = _run(made, rr, steady, at, rng)
        elif kind == 2:
            length = _regular(made, rr, steady, at, rng)
        else:
            length = _irregular(made, movable, at, rng, fibrillation=kind == 3)
        at += length + int(rng.integers(2, 25))
    return made


def _single(made: Plan, rr: Floats, steady: NDArray[np.bool_], at: int, rng: np.random.Generator) -> int:
    """One early beat and the pause after it."""
    if not steady[at : at + 2].all():
        return 1
    factor = rng.uniform(0.5, 0.88)
    _make_early(made, rr, at, factor, _p_wave(rng))
    made.interval[at + 1] = rng.uniform(1.0, 2.0 - factor)
    return 2


def _regular(made: Plan, rr: Floats, steady: NDArray[np.bool_], at: int, rng: np.random.Generator) -> int:
    """Bigeminy to quadrigeminy of early beats."""
    cycle = int(rng.integers(2, 5))
    factor, p_wave, pause = rng.uniform(0.5, 0.85), _p_wave(rng), rng.uniform(0, 1)
    length = cycle * int(rng.integers(3, 12))
    for early in range(at, min(at + length, len(rr) - 2), cycle):
        if not steady[early : early + 2].all():
            return early - at + 1
        one = factor * rng.uniform(0.96, 1.04)
        _make_early(made, rr, early, one, p_wave)
        made.interval[early + 1] = 1 + pause * (1 - one)
    return length


def _run(made: Plan, rr: Floats, steady: NDArray[np.bool_], at: int, rng: np.random.Generator) -> int:
    """A run of early beats: each interval short, then a pause."""
    length = min(int(np.exp(rng.uniform(np.log(2), np.log(40)))), len(rr) - at - 2)
    if not steady[at : at + length + 1].all():
        return 1
    factor, p_wave, loose = rng.uniform(0.45, 0.8), _p_wave(rng), rng.uniform(0.01, 0.08)
    for early in range(at, at + length):
        _make_early(made, rr, early, factor * np.exp(rng.normal(0, loose)), p_wave)
    made.interval[at + length] = rng.uniform(0.9, 1.5)
    return length + 1


def _irregular(made: Plan, movable: NDArray[np.bool_], at: int, rng: np.random.Generator, fibrillation: bool) -> int:
    """A stretch of normal beats at irregular times: as in atrial fibrillation, or swinging with the breath."""
    length = min(int(np.exp(rng.uniform(np.log(15), np.log(250)))), len(movable) - at - 1)
    here = slice(at, at + length)
    if fibrillation:
        factor = rng.uniform(0.75, 1.05) * np.exp(rng.normal(0, rng.uniform(0.08, 0.25), length))
        p_wave = rng.uniform(-0.1, 0.3)
    else:
        swing = np.sin(2 * np.pi * np.arange(length) / rng.uniform(3, 9) + rng.uniform(0, 6))
        factor = 1 + rng.uniform(0.04, 0.2) * swing + rng.normal(0, 0.02, length)
        p_wave = 1.0
    made.interval[here] = np.where(movable[here], np.clip(factor, 0.5, 1.8), 1.0)
    made.p_wave[here] = np.where(movable[here], p_wave, 1.0)
    return length


def _make_early(made: Plan, rr: Floats, at: int, factor: float, p_wave: float) -> None:
    made.interval[at] = max(factor, min(SHORTEST / max(rr[at], 0.01), 0.9))
    made.p_wave[at] = p_wave
    made.early[at] = True


def _p_wave(rng: np.random.Generator) -> float:
    """Factor of an ectopic P wave: as it was, smaller, or upside down."""
    return float(rng.choice((rng.uniform(0.6, 1.2), rng.uniform(-0.2, 0.6), rng.uniform(-1.2, -0.2))))


def move(
    signal: Floats, marks: NDArray[np.int64], peaks: NDArray[np.int64], made: Plan, rate: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Carry out a plan. Returns the new signal, and `marks` (samples) where they are now."""
    rr = np.diff(peaks, prepend=0)
    begin = peaks - np.minimum(BEFORE_P * rate, 0.4 * rr).astype(np.int64)
    end = peaks[:-1] + np.minimum(AFTER_T * rate * np.sqrt(np.clip(rr[1:] / rate, 0.3, 1.5)), 0.55 * rr[1:]).astype(
        np.int64
    )
    end = np.minimum(end, begin[1:])
    parts: list[Floats] = [signal[: begin[0]]]
    old, new = [0, int(begin[0])], [0, int(begin[0])]
    length = int(begin[0])
    for k, start in enumerate(begin):
        last = int(end[k]) if k < len(end) else len(signal)
        body = signal[start:last].copy()
        _scale_p(body, made.p_wave[k], int(peaks[k] - start - 0.06 * rate))
        shared = 0
        if k:
            rest = signal[end[k - 1] : start]
            wanted = len(rest) + round((made.interval[k] - 1) * int(rr[k]))
            if wanted >= 0:
                between = _stretch(rest, wanted) if wanted != len(rest) else rest
                parts.append(between)
                length += len(between)
            else:
                tail = parts[-1]
                shared = min(-wanted, int(peaks[k] - start - 0.06 * rate), len(tail) - int(0.3 * rate))
                shared = max(shared, 0)
                if shared:
                    body[:shared] = _add(tail[-shared:], body[:shared])
                    parts[-1] = tail[:-shared]
                    length -= shared
        old += [int(start) + shared, last]
        new += [length + shared, length + len(body)]
        parts.append(body)
        length += len(body)
    moved = np.rint(np.interp(marks, old, new)).astype(np.int64)
    return np.concatenate(parts), moved


def _stretch(rest: Floats, wanted: int) -> Floats:
    if not len(rest) or not wanted:
        return np.zeros(0) if not wanted else np.zeros(wanted)
    return np.interp(np.linspace(0, len(rest) - 1, wanted), np.arange(len(rest)), rest)


def _scale_p(body: Floats, factor: float, length: int) -> None:
    """Scale what rises above the line between the ends of a beat's first `length` samples, in place."""
    if factor != 1 and length > 4:
        line = np.linspace(body[0], body[length - 1], length)
        body[:length] = line + factor * (body[:length] - line)


def _add(tail: Floats, head: Floats) -> Floats:
    """A T wave's end and a P wave's beginning at the same time, joined without a step."""
    ramp = np.linspace(0, 1, len(tail))
    added: Floats = tail + head - head[0] - ramp * (tail[-1] - head[0])
    return added
