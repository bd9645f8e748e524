"""Donors: ventricular and normal beats of annotated records, for other hearts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records import aami
from ecg.records.leads import ecg_columns
from ecg.records.record import Record
from ecg.signal.p_waves import level

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

BEFORE: Final = 0.14
AFTER: Final = 0.46
"""s before and after the R-peak in a donor's beat."""
EDGE: Final = 5
"""Samples at both ends from which a donor's beat is levelled."""
LIKE: Final = 8
"""Beats of one focus come from as many places before and after one of the donor's."""


@dataclass(frozen=True, slots=True)
class Donor:
    """Beats of one class and one lead of one record, in order.

    beats: [n, samples], in units of the record's own normal QRS, beginning and ending at 0. rate: Hz.
    """

    beats: Floats
    rate: float

    def near(self, at: int) -> Floats:
        """Beats around number `at`: [k, samples]."""
        return self.beats[max(at - LIKE, 0) : at + LIKE + 1]


@dataclass(frozen=True, slots=True)
class Focus:
    """The origin of some beats of a made-up heart. They look like a donor's beats around number `at`, times `gain`."""

    donor: Donor
    at: int
    gain: float

    def beat(self, rng: np.random.Generator) -> Floats:
        """One beat: [samples]."""
        near = int(np.clip(self.at + rng.integers(-LIKE, LIKE + 1), 0, len(self.donor.beats) - 1))
        drawn: Floats = self.donor.beats[near] * self.gain * np.exp(rng.normal(0, 0.05))
        return drawn


def column_of(record: Record, main: bool) -> int:
    """Column of the analysed lead, or of the record's next best ECG lead if it has one."""
    analysed = record.best_lead()
    others = [column for column in ecg_columns(record.leads, record.units) if column != analysed]
    return analysed if main or not others else others[0]


def beats_of(record: Record) -> tuple[Mask, NDArray[np.int64], NDArray[np.str_]]:
    """The annotations that are beats inside the signal: their mask, R-peaks (samples) and AAMI classes."""
    notes = record.annotations
    assert notes is not None
    known = np.array([symbol in aami.CLASS_OF for symbol in notes.symbol], bool)
    beat = known & (notes.index > 0) & (notes.index < len(record.samples) - 1)
    return beat, notes.index[beat], np.array([aami.CLASS_OF[symbol] for symbol in notes.symbol[beat]], str)


def qrs_size(signal: Floats, peaks: NDArray[np.int64], rate: float) -> float:
    """Median peak-to-peak size of the QRS complexes at these R-peaks, in the signal's unit; 1 without R-peaks."""
    reach = int(0.06 * rate)
    peaks = peaks[(peaks > reach) & (peaks < len(signal) - reach)]
    if not len(peaks):
        return 1.0
    return float(np.median(np.ptp(signal[peaks[:, None] + np.arange(-reach, reach + 1)], axis=1)))


def donor_of(record: Record, main: bool, kind: str = "V") -> Donor | None:
    """The beats of one class of a record without another beat right after them; None if there is none."""
    _, peaks, classes = beats_of(record)
    signal = record.millivolts(column_of(record, main)).astype(np.float64)
    before, after = int(BEFORE * record.rate), int(AFTER * record.rate)
    alone = np.diff(peaks, append=len(signal)) > after
    chosen = peaks[(classes == kind) & alone & (peaks > before) & (peaks + after < len(signal))]
    if not len(chosen):
        return None
    beats = level(signal[chosen[:, None] + np.arange(-before, after)], EDGE)
    return Donor(beats / max(qrs_size(signal, peaks[classes == "N"], record.rate), 1e-3), record.rate)


def foci(donors: list[Donor], rng: np.random.Generator) -> list[Focus]:
    """One to three foci drawn from donors; none without donors."""
    count = int(rng.integers(1, 4))
    return [_focus(donors, rng) for _ in range(count if donors else 0)]


def detour(donors: list[Donor], rng: np.random.Generator) -> Focus | None:
    """Another way from the atria through the ventricles: normal beats of other hearts, wider; None without donors."""
    if not donors:
        return None
    focus = _focus(donors, rng)
    wider = float(rng.uniform(1.0, 1.7))
    return Focus(
        Donor(widened(focus.donor.near(focus.at), wider, focus.donor.rate), focus.donor.rate), LIKE, focus.gain
    )


def _focus(donors: list[Donor], rng: np.random.Generator) -> Focus:
    donor = donors[int(rng.integers(len(donors)))]
    turned = rng.choice((-1.0, 1.0), p=(0.3, 0.7))
    return Focus(donor, int(rng.integers(len(donor.beats))), turned * float(np.exp(rng.normal(0, 0.25))))


def widened(beats: Floats, factor: float, rate: float) -> Floats:
    """Beats that run slower by a factor up to 0.1 s after the R-peak, and quicker from there on."""
    places = np.arange(beats.shape[1])
    peak, turn, last = BEFORE * rate, (BEFORE + 0.1 * factor) * rate, beats.shape[1] - 1
    first = peak * (1 - 1 / factor)
    taken = np.interp(places, [0, peak, turn, last], [first, peak, peak + 0.1 * rate, last])
    return np.stack([np.interp(taken, places, beat) for beat in beats])
