"""Made-up versions of annotated records for the fit: the same patients with other rhythms.

DS1 holds few supraventricular beats, few patients with atrial fibrillation and the ventricular beats of a dozen
hearts. A version is a record whose beats stand at other times (ecg.rhythms), with ventricular beats of other records
among them. It may begin elsewhere, be noisy and lack marks. The usual signal path cuts it like any record. Donors come
from the same fold of the same database only (ecg.records.databases), so that a held-out fold has given nothing.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.patients import Patients
from ecg.records.record import ATRIAL_FIBRILLATION, ATRIAL_FLUTTER, Annotations, Record
from ecg.rhythms.donors import Donor, beats_of, column_of, detour, donor_of, foci, qrs_size
from ecg.rhythms.drawing import GAP, draw_noises, draw_plan
from ecg.rhythms.morphing import disturb, fibrillate, move

CYCLE: Final = 6
MAIN_LEAD: Final = 4
"""Of each six versions the first four show the analysed lead, the others the record's other one."""
LARGEST: Final = 32000
MISSED: Final = 0.3
"""Share of versions in which some beats are missed."""
ELSEWHERE: Final = 0.75
"""Share of versions with another beginning than the record's."""

Donors = dict[tuple[str, bool, str], list[Donor]]
"""Donors by the record's name, main lead or other, and class."""


def donors_for(names: list[str], among: Patients) -> Donors:
    """Donors for the named records, from each one's own fold of its database."""
    found: Donors = {}
    for name in names:
        if (name, True, "V") in found:
            continue
        fold = among.beside(name)
        wanted = [one for one in names if one in fold]
        records = [among.read(one) for one in fold]
        for main, kind in product((True, False), "VN"):
            donors = [donor for record in records if (donor := donor_of(record, main, kind))]
            found |= {(one, main, kind): donors for one in wanted}
    return found


def version(record: Record, number: int, donors: Donors | None = None) -> Record:
    """A made-up version of one lead of an annotated record, always the same for the same number.

    Without donors it has no ventricular beats but its own.
    """
    rng = np.random.default_rng([number, *record.name.encode()])
    if rng.random() < ELSEWHERE:
        record = begin_elsewhere(record, rng)
    notes = record.annotations
    assert notes is not None
    main = number % CYCLE < MAIN_LEAD
    column = column_of(record, main)
    beat, peaks, classes = beats_of(record)
    signal = record.millivolts(column).astype(np.float64)
    size = qrs_size(signal, peaks[classes == "N"], record.rate)
    usable = {
        kind: [one for one in (donors or {}).get((record.name, main, kind), []) if one.rate == record.rate]
        for kind in "VN"
    }
    atrial = ~np.isin(notes.rhythm[beat], (ATRIAL_FIBRILLATION, ATRIAL_FLUTTER))
    made = draw_plan(peaks / record.rate, classes, atrial, foci(usable["V"], rng), rng, detour(usable["N"], rng))
    signal, marks, peaks = move(signal, notes.index, peaks, made, record.rate, size)
    for wave in made.waves:
        fibrillate(signal, peaks, wave, size, record.rate, rng)
    for noise in draw_noises(len(peaks), rng):
        disturb(signal, peaks, noise, size, record.rate, rng)
    symbol = notes.symbol.copy()
    where = np.flatnonzero(beat)
    symbol[where[made.lost]] = "N"
    symbol[where[made.early]] = "A"
    symbol[where[made.weight == 1]] = "V"
    symbol[where[(made.weight > 0) & (made.weight < 1)]] = "F"
    rhythm = notes.rhythm.astype(f"<U{max(len(ATRIAL_FIBRILLATION), notes.rhythm.dtype.itemsize // 4)}")
    for wave in made.waves:
        rhythm[where[wave.first : wave.last]] = ATRIAL_FIBRILLATION
    kept = np.ones(len(symbol), bool)
    kept[where[missed(len(where), rng)]] = False
    adu = np.rint(signal * record.gain[column] + record.baseline[column])
    return Record(
        name=f"{record.name}~{number}",
        rate=record.rate,
        leads=(record.leads[column],),
        gain=record.gain[column : column + 1],
        baseline=record.baseline[column : column + 1],
        samples=np.clip(adu, -LARGEST, LARGEST).astype(np.int16)[:, None],
        source=record.source,
        annotations=Annotations(marks[kept], symbol[kept], rhythm[kept]),
    )


def missed(count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw the unmarked ones of `count` beats, in a few stretches: bool [count]."""
    chosen = np.zeros(count, bool)
    if rng.random() < MISSED:
        for _ in range(int(rng.integers(1, 8))):
            first, length = int(rng.integers(-40, count)), int(np.exp(rng.uniform(np.log(10), np.log(400))))
            here = slice(max(first, 0), max(first + length, 0))
            chosen[here] |= rng.random(len(chosen[here])) < np.exp(rng.uniform(np.log(0.01), np.log(0.4)))
    return chosen


def begin_elsewhere(record: Record, rng: np.random.Generator) -> Record:
    """The record from a random place between two normal beats on; the part before it follows the end."""
    notes = record.annotations
    assert notes is not None
    _, peaks, classes = beats_of(record)
    rr = np.diff(peaks) / record.rate
    quiet = np.flatnonzero((classes[:-1] == "N") & (classes[1:] == "N") & (rr < GAP))
    if not len(quiet):
        return record
    k = int(rng.choice(quiet))
    at = int(peaks[k] + 0.6 * (peaks[k + 1] - peaks[k]))
    inside = (notes.index >= 0) & (notes.index < len(record.samples))
    marks = (notes.index[inside] - at) % len(record.samples)
    order = np.argsort(marks, kind="stable")
    return replace(
        record,
        samples=np.roll(record.samples, -at, axis=0),
        annotations=Annotations(marks[order], notes.symbol[inside][order], notes.rhythm[inside][order]),
    )
