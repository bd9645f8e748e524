"""Ventricular beats of annotated records, to be put between the beats of another record (trainer.versions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg import aami
from ecg.p_waves import level
from ecg.record import Record, pick_lead
from trainer.cutting import lead_signal

Floats = NDArray[np.float64]

BEFORE: Final = 0.14
AFTER: Final = 0.46
"""s before and after the R-peak that are taken of a donor's beat."""
EDGE: Final = 5
"""Samples at both ends that a donor's beat is levelled by."""
LIKE: Final = 8
"""Beats of one focus are taken from that many before to that many after one of the donor's."""


@dataclass(frozen=True, slots=True)
class Donor:
    """Ventricular beats of one lead of one record, in order.

    beats: [n, samples], in units of the record's own normal QRS, beginning and ending at 0. rate: Hz.
    """

    beats: Floats
    rate: float


@dataclass(frozen=True, slots=True)
class Focus:
    """Where in a made-up heart ventricular beats begin: they look like a donor's beats around number `at`."""

    donor: Donor
    at: int
    gain: float

    def beat(self, rng: np.random.Generator) -> Floats:
        """One beat: [samples]."""
        near = int(np.clip(self.at + rng.integers(-LIKE, LIKE + 1), 0, len(self.donor.beats) - 1))
        drawn: Floats = self.donor.beats[near] * self.gain * np.exp(rng.normal(0, 0.05))
        return drawn


def column_of(record: Record, main: bool) -> int:
    """The lead that is analysed, or the record's other one where it has one."""
    analysed = pick_lead(record.leads)
    return analysed if main or len(record.leads) == 1 else int(analysed == 0)


def beats_of(record: Record) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.str_]]:
    """Which annotations are beats inside the signal, their R-peaks (samples) and their AAMI classes."""
    notes = record.annotations
    assert notes is not None
    known = np.array([symbol in aami.CLASS_OF for symbol in notes.symbol], bool)
    beat = known & (notes.index > 0) & (notes.index < len(record.samples) - 1)
    return beat, notes.index[beat], np.array([aami.CLASS_OF[symbol] for symbol in notes.symbol[beat]], str)


def qrs_size(signal: Floats, peaks: NDArray[np.int64], rate: float) -> float:
    """Median peak-to-peak size of the QRS complexes at these R-peaks, in the signal's unit; 1 where there is none."""
    reach = int(0.06 * rate)
    peaks = peaks[(peaks > reach) & (peaks < len(signal) - reach)]
    if not len(peaks):
        return 1.0
    return float(np.median(np.ptp(signal[peaks[:, None] + np.arange(-reach, reach + 1)], axis=1)))


def donor_of(record: Record, main: bool) -> Donor | None:
    """The ventricular beats of a record that no other beat follows at once; None where there is none."""
    _, peaks, classes = beats_of(record)
    signal = lead_signal(record, column_of(record, main)).astype(np.float64)
    before, after = int(BEFORE * record.rate), int(AFTER * record.rate)
    alone = np.diff(peaks, append=len(signal)) > after
    chosen = peaks[(classes == "V") & alone & (peaks > before) & (peaks + after < len(signal))]
    if not len(chosen):
        return None
    beats = level(signal[chosen[:, None] + np.arange(-before, after)], EDGE)
    return Donor(beats / max(qrs_size(signal, peaks[classes == "N"], record.rate), 1e-3), record.rate)


def foci(donors: list[Donor], rng: np.random.Generator) -> list[Focus]:
    """One to three foci drawn from donors; none where there are no donors."""
    count = int(rng.integers(1, 4))
    found = []
    for _ in range(count if donors else 0):
        donor = donors[int(rng.integers(len(donors)))]
        turned = rng.choice((-1.0, 1.0), p=(0.3, 0.7))
        found.append(Focus(donor, int(rng.integers(len(donor.beats))), turned * float(np.exp(rng.normal(0, 0.25)))))
    return found
