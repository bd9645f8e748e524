"""A record: a patient's samples, what they mean in millivolts, and the reference annotations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.leads import ecg_columns
from ecg.records.leads import is_ecg as is_ecg
from ecg.records.leads import pick_lead as pick_lead

MISSING: Final = -32768
"""The sample value that says there is no sample, as in WFDB's 16-bit formats."""

ATRIAL_FIBRILLATION: Final = "(AFIB"
ATRIAL_FLUTTER: Final = "(AFL"
"""Rhythm labels of MIT-BIH annotations."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """Reference annotations of one record, in order of sample index.

    index: int64 [m], sample index at the record's own rate.
    symbol: str [m], MIT-BIH annotation code ("N", "V", "+" for a rhythm change, "!" for a flutter wave, ...).
    rhythm: str [m], the rhythm in force at that sample ("(N", "(AFIB", ...), "" before the first rhythm change.
    """

    index: NDArray[np.int64]
    symbol: NDArray[np.str_]
    rhythm: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Samples of one recording.

    samples: int16 [n, leads], ADU; millivolts are (samples - baseline) / gain.
    gain: float64 [leads], ADU/mV. baseline: float64 [leads], ADU.
    units: what gain counts ADU of, one for each lead; () where all are mV. An ECG lead is always in mV; a pressure may
    be in mmHg, and `millivolts` then gives mmHg.
    rate: Hz. source: "wfdb", "recording", "excerpt", "csv" or "synthetic".
    annotations: None where the record carries none.
    """

    name: str
    rate: float
    leads: tuple[str, ...]
    gain: NDArray[np.float64]
    baseline: NDArray[np.float64]
    samples: NDArray[np.int16]
    source: str
    annotations: Annotations | None = None
    units: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the recording in seconds."""
        return float(len(self.samples) / self.rate)

    def best_lead(self, wanted: str = "MLII") -> int:
        """Column of the lead to analyse: `wanted` where the record has it (`ecg.records.leads`), and samples of it.

        The first of all where no signal is an ECG lead.
        """
        order = ecg_columns(self.leads, self.units, wanted)
        return next((column for column in order if self.has_samples(column)), order[0] if order else 0)

    def alone(self, lead: int) -> Record:
        """The same record with that lead only."""
        only = slice(lead, lead + 1)
        return replace(
            self,
            leads=self.leads[only],
            gain=self.gain[only],
            baseline=self.baseline[only],
            samples=self.samples[:, only],
            units=self.units[only],
        )

    def has_samples(self, lead: int) -> bool:
        """Is there one sample of that lead that is not missing?."""
        return bool((self.samples[:, lead] != MISSING).any())

    def millivolts(self, lead: int) -> NDArray[np.float32]:
        """One lead in mV: float32 [n]. A missing sample holds the last value before it; before the first it is 0 mV."""
        held = hold(self.samples[:, lead], round(float(self.baseline[lead])))
        scaled: NDArray[np.float64] = (held - self.baseline[lead]) / self.gain[lead]
        return scaled.astype(np.float32)


def hold(samples: NDArray[np.int16], before: int) -> NDArray[np.int16]:
    """Samples with each missing one replaced by the last before it: int16 [n], ADU. before: where none came before."""
    gone = samples == MISSING
    if not gone.any():
        return samples
    source = np.maximum.accumulate(np.where(gone, -1, np.arange(len(samples))))
    known = np.int16(np.clip(before, MISSING + 1, -MISSING - 1))
    return np.where(source >= 0, samples[np.maximum(source, 0)], known)
