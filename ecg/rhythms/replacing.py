"""A record's own beats, for a while, in another rhythm: what a teacher asks of a bed that replays a record.

The stretch keeps its length, so that the record goes on after it where it would have been. Its baseline stays; its
beats are the record's own, at other times: normal ones with or without their P waves, ventricular ones of this patient,
or, where he has none, his normal beats widened and turned over. Truth follows from the same events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records.leads import ecg_columns
from ecg.records.record import Annotations, Record
from ecg.rhythms.donors import AFTER, BEFORE, Floats, beats_of, qrs_size, widened
from ecg.rhythms.morphing import fibrillate
from ecg.rhythms.plan import Wave
from ecg.rhythms.simulation.catalogue import RHYTHMS
from ecg.signal.p_waves import level

SEQUENCES: Final[dict[str, str]] = {
    "bradycardia": "N",
    "tachycardia": "N",
    "af": "n",
    "svt": "n",
    "idioventricular": "V",
    "vt": "V",
    "asystole": "",
}
"""Rhythms of a record's own beats: what each is, in turn. N: normal, n: normal without its P wave, V: ventricular."""
ECTOPY: Final[dict[str, str]] = {"couplets": "NNNNVV", "bigeminy": "NV", "trigeminy": "NNV"}
LABELS: Final = {"bigeminy": "(B", "trigeminy": "(T"}
SYMBOLS: Final = {"svt": "S"}
BEFORE_P: Final = 0.22
"""s before the R-peak at which a normal beat with its P wave begins."""
BEFORE_QRS: Final = 0.08
WIDER: Final = 1.8
SMALLER: Final = -0.9
"""A ventricular beat of a patient who has none: so much wider than his normal one, times this."""
NEAR: Final = 24
"""Beats of one kind, those nearest in time, of which the new ones are drawn."""
EARLY: Final = 0.62
"""RR interval before an extra beat, as a share of the usual one; the pause after it makes up for it."""
LOOSE: Final = {"af": 0.16, "vt": 0.02, "idioventricular": 0.03}
FADE_SECONDS: Final = 0.06
LEVEL_SECONDS: Final = 0.6
LARGEST: Final = 32000
MOST_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat of the new rhythm. at: R-peak, samples of the record. kind: as in SEQUENCES."""

    at: int
    kind: str


def possible(rhythm: str) -> bool:
    """Can a record's own beats be given this rhythm, or these extra beats?."""
    return rhythm in SEQUENCES or rhythm in ECTOPY


def replaced(
    record: Record,
    peaks: NDArray[np.int64],
    classes: NDArray[np.str_],
    begin: int,
    end: int,
    rhythm: str,
    rate: float | None,
    seed: int,
) -> Record:
    """The record with another rhythm from sample `begin` to `end`. Raises UserError where that is not possible.

    peaks, classes: of its own beats, R-peaks in samples and AAMI classes. rate: 1/min, None for the rhythm's usual one.
    """
    if not possible(rhythm):
        raise UserError(
            f"a record's own beats cannot show {rhythm!r}: there are {', '.join((*SEQUENCES, *ECTOPY))}; "
            "sinus gives the record back"
        )
    if not (classes == "N").any():
        raise UserError(f"record {record.name} has no normal beats to make {rhythm} of")
    rng = np.random.default_rng([seed, begin])
    beats = _beats(record.rate, peaks, begin, end, rhythm, rate, rng)
    samples = record.samples.copy()
    fade = _fade(end - begin, record.rate)
    ecg = ecg_columns(record.leads, record.units)
    stroke = RHYTHMS[rhythm].stroke if rhythm in RHYTHMS else 1.0
    for column in range(len(record.leads)):
        own = record.millivolts(column).astype(np.float64)
        base = _baseline(own, begin, end, record.rate)
        if column in ecg:
            drawn = base + _drawn(own, record.rate, peaks, classes, beats, begin, end, rhythm, rng)
        else:
            drawn = base + (0.0 if rhythm == "asystole" else stroke) * (own[begin:end] - base)
        mixed = own[begin:end] + fade * (drawn - own[begin:end])
        adu = np.rint(mixed * record.gain[column] + record.baseline[column])
        samples[begin:end, column] = np.clip(adu, -LARGEST, LARGEST).astype(np.int16)
    notes = record.annotations
    truth = None if notes is None else _truth(notes, beats, begin, end, rhythm)
    return replace(record, samples=samples, annotations=truth)


def _beats(
    rate: float,
    peaks: NDArray[np.int64],
    begin: int,
    end: int,
    rhythm: str,
    wanted: float | None,
    rng: np.random.Generator,
) -> list[Beat]:
    """The new beats between `begin` and `end`, far enough from both that the record's own stand whole."""
    kinds = SEQUENCES.get(rhythm, ECTOPY.get(rhythm, ""))
    if not kinds:
        return []
    near = np.diff(peaks[np.abs(peaks - begin) < 20 * rate])
    usual = 60 * rate / float(np.median(near)) if len(near) else 75.0
    per_minute = wanted if wanted is not None else RHYTHMS[rhythm].rate if rhythm in RHYTHMS else usual
    limits = RHYTHMS[rhythm] if rhythm in RHYTHMS else RHYTHMS["sinus"]
    if not limits.low <= per_minute <= limits.high:
        raise UserError(f"rate = {per_minute:g} is no {rhythm}: {limits.low:g} to {limits.high:g} are allowed")
    rr = 60 * rate / per_minute
    made: list[Beat] = []
    at, number = float(begin) + 0.6 * rr, 0
    while at < end - AFTER * rate:
        kind = kinds[number % len(kinds)]
        made.append(Beat(round(at), kind))
        number += 1
        following = kinds[number % len(kinds)]
        interval = rr * max(1 + rng.normal(0, LOOSE.get(rhythm, 0.01)), 0.5)
        if rhythm in ECTOPY:
            interval *= EARLY if following == "V" else 2 - EARLY if kind == "V" else 1
        at += interval
    return made


def _drawn(
    own: Floats,
    rate: float,
    peaks: NDArray[np.int64],
    classes: NDArray[np.str_],
    beats: list[Beat],
    begin: int,
    end: int,
    rhythm: str,
    rng: np.random.Generator,
) -> Floats:
    """The new beats of one lead above its baseline: float64 [end - begin]."""
    drawn = np.zeros(end - begin)
    normal = peaks[classes == "N"]
    alone = np.diff(peaks, append=len(own)) > AFTER * rate
    single, extra = peaks[alone & (classes == "N")], peaks[alone & (classes == "V")]
    single = single if len(single) else normal
    bodies = {
        "N": _bodies(own, rate, single, begin, BEFORE_P),
        "n": _bodies(own, rate, single, begin, BEFORE_QRS),
        "V": _bodies(own, rate, extra, begin, BEFORE),
    }
    if not len(bodies["V"]):
        bodies["V"] = SMALLER * widened(_bodies(own, rate, single, begin, BEFORE), WIDER, rate)
    lead = {"N": BEFORE_P, "n": BEFORE_QRS, "V": BEFORE}
    for beat in beats:
        choice = bodies[beat.kind]
        if not len(choice):
            continue
        body = choice[int(rng.integers(len(choice)))]
        first = beat.at - round(lead[beat.kind] * rate) - begin
        low, high = max(first, 0), min(first + len(body), len(drawn))
        if low < high:
            drawn[low:high] += body[low - first : high - first]
    if rhythm == "af" and len(beats) > 1:
        places = np.array([beat.at - begin for beat in beats], np.int64)
        size = qrs_size(own, normal, rate)
        fibrillate(drawn, places, Wave(0, len(places) - 1, 0.08, 6.0), size, rate, rng)
    return drawn


def _bodies(own: Floats, rate: float, peaks: NDArray[np.int64], begin: int, before: float) -> Floats:
    """Beats nearest to `begin` that stand whole, from `before` s before their R-peaks on: [n, samples]."""
    first, last = round(before * rate), round(AFTER * rate)
    whole = peaks[(peaks >= first) & (peaks + last < len(own))]
    chosen = whole[np.argsort(np.abs(whole - begin), kind="stable")[:NEAR]]
    if not len(chosen):
        return np.zeros((0, first + last))
    beats = level(own[chosen[:, None] + np.arange(-first, last)])
    return np.asarray(beats[~np.isnan(beats).any(axis=1)])


def _baseline(own: Floats, begin: int, end: int, rate: float) -> Floats:
    """The level that the stretch wanders along: medians of short pieces, joined."""
    step = max(round(LEVEL_SECONDS * rate), 1)
    first, last = max(begin - step, 0), min(end + step, len(own))
    edges = np.arange(first, last, step)
    levels = np.array([np.nanmedian(own[at : at + step]) if at < last else 0.0 for at in edges])
    return np.asarray(np.interp(np.arange(begin, end), edges + step / 2, np.nan_to_num(levels)))


def _fade(length: int, rate: float) -> Floats:
    """0 at both ends of the stretch, 1 within it."""
    place = np.arange(length)
    return np.asarray(np.clip(np.minimum(place, place[::-1]) / (FADE_SECONDS * rate), 0, 1))


def _truth(notes: Annotations, beats: list[Beat], begin: int, end: int, rhythm: str) -> Annotations:
    """The record's annotations outside the stretch, the new beats within it, and a change of rhythm at both ends."""
    inside = (notes.index >= begin) & (notes.index < end)
    label = LABELS.get(rhythm, RHYTHMS[rhythm].label if rhythm in RHYTHMS else "(N")
    known = notes.rhythm[notes.index < end]
    after = str(known[-1]) if len(known) else ""
    symbols = {"N": "N", "n": SYMBOLS.get(rhythm, "N"), "V": "V"}
    made = [(begin, "+", label), *((beat.at, symbols[beat.kind], label) for beat in beats)]
    made.append((end, "+", after))
    index = np.concatenate((notes.index[~inside], [at for at, _, _ in made])).astype(np.int64)
    symbol = np.concatenate((notes.symbol[~inside], [symbol for _, symbol, _ in made]))
    rhythms = np.concatenate((notes.rhythm[~inside], [label for _, _, label in made]))
    order = np.argsort(index, kind="stable")
    return Annotations(index[order], symbol[order], rhythms[order])


def known_beats(record: Record) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """R-peaks and AAMI classes of a record's beats: annotated, or else found by sleepecg and taken for normal."""
    if record.annotations is not None:
        _, peaks, classes = beats_of(record)
        return peaks, classes
    import sleepecg

    signal = np.nan_to_num(record.millivolts(record.best_lead()).astype(np.float64))
    found = np.asarray(sleepecg.detect_heartbeats(signal, record.rate), np.int64)
    return found, np.full(len(found), "N")
