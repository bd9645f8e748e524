"""From signals as a file holds them, of any unit, rate and resolution, to a record: 16 bits, mV, one rate.

What cannot be made so without loss of what an ECG shows is refused, in one sentence that names the record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records.leads import MILLIVOLT, UNSPOKEN, is_ecg, millivolts_per
from ecg.records.record import MISSING, Annotations, Record
from ecg.records.scaling import absurd, coarser_step, fitted

SLOWEST: Final = 100.0
"""Hz. A record sampled more slowly has lost the QRS complexes' edges."""
FASTEST: Final = 10_000.0
"""Hz. What is sampled faster is brought down to about `BROUGHT_DOWN` Hz."""
ABSURD: Final = 200_000.0
"""Hz. No ECG is sampled so fast: the header is wrong."""
BROUGHT_DOWN: Final = 1000.0
MOST_VALUE: Final = 1e12
COARSEST: Final = 0.02
"""mV. A step that a lead of more than 16 bits may be rounded to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal of a file. The value of a sample is (adu - baseline) / gain, in `unit`.

    adu: integers [n] of any size. missing: bool [n], True where there is no sample. rate: Hz.
    """

    name: str
    unit: str
    rate: float
    gain: float
    baseline: float
    adu: NDArray[Any]
    missing: NDArray[np.bool_]

    def positive(self) -> Signal:
        """The same signal with a gain above 0, voltages in mV. Raises ValueError for a gain that is no number."""
        size = millivolts_per(self.unit)
        if size is None and _unspoken(self.unit) and is_ecg(self.name):
            size = 1.0
        gain = self.gain / (size or 1.0)
        if not np.isfinite(gain) or gain == 0 or not np.isfinite(self.baseline):
            raise ValueError(f"lead {self.name} has a gain of {self.gain:g} ADU/{self.unit}")
        unit = MILLIVOLT if size else self.unit.strip()
        if gain > 0:
            return replace(self, gain=gain, unit=unit)
        turned = -self.adu.astype(np.int64)
        return replace(self, adu=turned, gain=-gain, baseline=-self.baseline, unit=unit)


def of_values(name: str, unit: str, rate: float, values: NDArray[np.float64]) -> Signal:
    """A signal of numbers instead of ADU: float64 [n], NaN where there is no sample.

    The step is the finest that 16 bits allow, down to 0.0001 of a mV (of the unit). Raises ValueError for numbers that
    no measurement gives.
    """
    missing = ~np.isfinite(values)
    known = values[~missing]
    size = millivolts_per(unit) or 1.0
    middle = float((known.min() + known.max()) / 2) if len(known) else 0.0
    gain = 1e4 * size
    reach = float(np.abs(known - middle).max()) if len(known) else 0.0
    if abs(middle) + reach > MOST_VALUE:
        raise ValueError(f"signal {name} holds numbers as large as {abs(middle) + reach:.2g}")
    while reach * gain > -MISSING - 1:
        gain /= 10 if reach * gain > 5 * -MISSING else 2
    offset = round(middle * gain)
    adu = np.rint(np.where(missing, middle, values) * gain).astype(np.int64) - offset
    return Signal(name=name, unit=unit, rate=rate, gain=gain, baseline=float(-offset), adu=adu, missing=missing)


def build(
    name: str,
    signals: list[Signal],
    *,
    source: str,
    where: str,
    annotations: Annotations | None = None,
    annotated_at: float = 0.0,
) -> Record:
    """The record of these signals. where: what the sentences call it. annotated_at: ticks of the annotations, Hz.

    All signals get the rate of the fastest ECG lead; a slower one is drawn between its samples. Raises UserError.
    """
    try:
        whole = [one.positive() for one in signals]
    except ValueError as error:
        raise UserError(f"record {where} cannot be used: {error}") from None
    leads = [one for one in whole if is_ecg(one.name, one.unit)]
    rate = max((one.rate for one in leads or whole), default=0.0)
    slowest = min((one.rate for one in whole), default=0.0)
    length = min(round(len(one.adu) * rate / one.rate) for one in whole) if slowest > 0 else 0
    if not length or not SLOWEST <= rate <= ABSURD:
        raise UserError(
            f"record {where} cannot be used: ({length}, {len(whole)}) samples at {rate:g} Hz "
            f"(needed: {SLOWEST:g} Hz or more)"
        )
    columns = [fit for fit in (_sixteen_bits(one, where) for one in whole) if fit is not None]
    samples = np.stack([at_rate(one.adu, one.rate, rate, length) for one in columns], axis=1)
    made = Record(
        name=name,
        rate=rate,
        leads=tuple(one.name for one in columns),
        gain=np.array([one.gain for one in columns], np.float64),
        baseline=np.array([one.baseline for one in columns], np.float64),
        samples=samples,
        source=source,
        annotations=_at(annotations, rate / (annotated_at or rate), length),
        units=() if all(one.unit == MILLIVOLT for one in columns) else tuple(one.unit for one in columns),
    )
    fault = absurd(made)
    if fault:
        raise UserError(f"record {where} cannot be used: {fault}")
    return slower(made) if rate > FASTEST else made


def at_rate(adu: NDArray[np.int16], own: float, rate: float, length: int) -> NDArray[np.int16]:
    """A signal of `own` Hz at `rate` Hz: int16 [length]. Between two samples lies the straight line; a gap stays."""
    if own == rate:
        return adu[:length]
    places = np.minimum(np.arange(length) * (own / rate), len(adu) - 1)
    left = np.floor(places + 1e-9).astype(np.int64)
    right = np.minimum(left + 1, len(adu) - 1)
    low, high = adu[left].astype(np.float64), adu[right].astype(np.float64)
    high = np.where(high == MISSING, low, high)
    drawn = np.rint(low + (high - low) * np.clip(places - left, 0, 1))
    return np.where(low == MISSING, MISSING, drawn).astype(np.int16)


def slower(record: Record, to: float = BROUGHT_DOWN) -> Record:
    """The record at a whole part of its rate, at most `to` Hz: low-passed first, so that nothing folds back."""
    from scipy.signal import resample_poly

    part = ceil(record.rate / to)
    kept = []
    for column in range(len(record.leads)):
        adu = record.samples[:, column]
        gone = (adu == MISSING)[::part]
        held = record.millivolts(column).astype(np.float64)
        low = resample_poly(held - held[0], 1, part) + held[0]
        counts = np.rint(low * record.gain[column] + record.baseline[column])
        kept.append(np.where(gone, MISSING, np.clip(counts, MISSING + 1, -MISSING - 1)).astype(np.int16))
    samples = np.stack(kept, axis=1)
    notes = _at(record.annotations, 1 / part, len(samples))
    return replace(record, rate=record.rate / part, samples=samples, annotations=notes)


def _sixteen_bits(signal: Signal, where: str) -> Signal | None:
    """The signal with adu int16, MISSING where there is no sample; None for one that is no ECG and cannot be so.

    Raises UserError for an ECG lead that would be too coarse.
    """
    ecg = is_ecg(signal.name, signal.unit)
    try:
        adu, gain, baseline = fitted(signal.adu, signal.missing, signal.gain, signal.baseline)
    except ValueError as error:
        if not ecg:
            return None
        raise UserError(f"record {where} cannot be used: lead {signal.name}: {error}") from None
    if ecg and coarser_step(signal.gain, gain) > COARSEST:
        raise UserError(
            f"record {where} cannot be used: lead {signal.name} reaches over so many mV that 16 bits show steps of "
            f"{1 / gain:.2g} mV; cut the record, or take out its outliers"
        )
    return replace(signal, adu=adu, gain=gain, baseline=baseline)


def _at(notes: Annotations | None, factor: float, length: int) -> Annotations | None:
    """Annotations with their places times `factor`, those outside of the record left out."""
    if notes is None:
        return None
    index = notes.index if factor == 1 else np.rint(notes.index * factor).astype(np.int64)
    inside = (index >= 0) & (index < length)
    return Annotations(index[inside], notes.symbol[inside], notes.rhythm[inside])


def _unspoken(unit: str) -> bool:
    return unit.strip().lower() in UNSPOKEN
