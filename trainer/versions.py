"""Made-up versions of annotated records for the fit: the same patients with other rhythms.

DS1 holds few supraventricular beats, few patients with atrial fibrillation and the ventricular beats of a dozen
hearts. A version is a record whose beats stand at other times (trainer.plans, trainer.moving), with ventricular beats
of other records among them (trainer.donors). It is a record like any other: the usual signal path cuts it. Donors come
from the same part of DS1 only (trainer.settings.FOLDS), so that a part that is held out has given nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np

from ecg import library
from ecg.record import ATRIAL_FIBRILLATION, ATRIAL_FLUTTER, Annotations, Record
from trainer.cache import SOURCES, path_hash
from trainer.cutting import Source, lead_signal
from trainer.donors import Donor, beats_of, column_of, donor_of, foci, qrs_size
from trainer.moving import fibrillate, move
from trainer.plans import plan
from trainer.settings import FOLDS

COARSE: Final = 64
"""Steps of a beat's size in the file of versions: far finer than the noise that a fit adds."""
CYCLE: Final = 6
MAIN_LEAD: Final = 4
"""Of each six versions the first four are of the lead that is analysed, the others of the record's other one."""
LARGEST: Final = 32000

Donors = dict[tuple[str, bool], list[Donor]]
"""Donors for a record by its name, and whether its main lead is meant."""


def version_key(name: str, number: int) -> tuple[Source, str]:
    """Where a version stands among cut beats: every other one is cut at our own detector's R-peaks."""
    return SOURCES[number % len(SOURCES)], f"{name}~{number}"


def versions_path(beats: Path) -> Path:
    """The file of versions that stands beside a file of cut beats."""
    return beats.with_name(f"{beats.stem}-versions.npz")


def code_hash() -> str:
    """SHA-256 over the code that decides what a version's cut beats are."""
    folder = Path(__file__).parent
    code = path_hash(*(folder / f"{module}.py" for module in ("versions", "plans", "moving", "donors")))
    return hashlib.sha256(f"{code} {FOLDS}".encode()).hexdigest()


def donors_for(names: list[str]) -> Donors:
    """Donors for the named records of DS1, from each one's own part of DS1."""
    found: Donors = {}
    for fold in FOLDS:
        wanted = [name for name in names if name in fold]
        if not wanted:
            continue
        records = [library.read(name) for name in fold]
        for main in (True, False):
            donors = [donor for record in records if (donor := donor_of(record, main))]
            found |= {(name, main): donors for name in wanted}
    return found


def version(record: Record, number: int, donors: Donors | None = None) -> Record:
    """A made-up version of one lead of an annotated record, always the same for the same number.

    Without donors it has no ventricular beats but its own.
    """
    notes = record.annotations
    assert notes is not None
    rng = np.random.default_rng([number, *record.name.encode()])
    main = number % CYCLE < MAIN_LEAD
    column = column_of(record, main)
    beat, peaks, classes = beats_of(record)
    signal = lead_signal(record, column).astype(np.float64)
    size = qrs_size(signal, peaks[classes == "N"], record.rate)
    usable = [one for one in (donors or {}).get((record.name, main), []) if one.rate == record.rate]
    atrial = ~np.isin(notes.rhythm[beat], (ATRIAL_FIBRILLATION, ATRIAL_FLUTTER))
    made = plan(peaks / record.rate, classes, atrial, foci(usable, rng), rng)
    signal, marks, peaks = move(signal, notes.index, peaks, made, record.rate, size)
    for wave in made.waves:
        fibrillate(signal, peaks, wave, size, record.rate, rng)
    symbol = notes.symbol.copy()
    where = np.flatnonzero(beat)
    symbol[where[made.lost]] = "N"
    symbol[where[made.early]] = "A"
    symbol[where[made.weight == 1]] = "V"
    symbol[where[(made.weight > 0) & (made.weight < 1)]] = "F"
    adu = np.rint(signal * record.gain[column] + record.baseline[column])
    return Record(
        f"{record.name}~{number}",
        record.rate,
        (record.leads[column],),
        record.gain[column : column + 1],
        record.baseline[column : column + 1],
        np.clip(adu, -LARGEST, LARGEST).astype(np.int16)[:, None],
        record.source,
        Annotations(marks, symbol, notes.rhythm),
    )
