"""The samples of one bed: waves placed where they belong, added up, and turned into codes of an A/D converter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.simulation import circulation, leads
from ecg.rhythms.simulation.bank import Singles, bank
from ecg.rhythms.simulation.heart import Activation
from ecg.rhythms.simulation.leads import Floats, Swap
from ecg.rhythms.simulation.vitals import Vitals

GAIN: Final = {"PLETH": 10_000.0, "ABP": 100.0}
ECG_GAIN: Final = 400.0
"""ADU per mV, per unit of the pulse oximeter, per mmHg."""
PLETH_BASE: Final = 0.3
PLETH_SIZE: Final = 0.5
RAIL: Final = 32_767
OFF_CODE: Final = 0
OUTSIDE: Final = 30_000
"""No lead leaves +-30,000 ADU unless its amplifier is saturated."""


@dataclass(slots=True)
class Placed:
    """A wave that has begun: its first sample, its samples and its size.

    column: of the pulses, -1 for all ECG leads. name, qt: of a wave in the ECG leads.
    """

    begin: int
    samples: Singles
    size: float
    column: int = -1
    name: str = ""
    qt: float = 0.0


class Paper:
    """The leads of one bed. rate: Hz. names: all leads, in order. number: of the heart's anatomy.

    ecg: the ECG leads among them. gain: ADU per unit of each lead. matrix: ECG leads of the dipole, [leads, 3].
    """

    def __init__(self, rate: float, names: tuple[str, ...], number: int) -> None:
        self.rate, self.names, self._number = rate, names, number
        self.ecg = tuple(name for name in names if name in leads.ECG)
        self._pulses = tuple(name for name in names if name in leads.PULSES)
        self._column = {name: column for column, name in enumerate(names)}
        self._plain = names == (*self.ecg, *self._pulses)
        self._bank = bank(rate, self.ecg, "", number)
        self._placed: list[Placed] = []
        self.gain = [GAIN.get(name, ECG_GAIN) for name in names]
        self._gain = np.array(self.gain, np.float32)

    @property
    def matrix(self) -> Floats:
        """The ECG leads of the dipole: [leads, 3]."""
        return self._bank.matrix

    def wave(self, index: int, event: Activation, vitals: Vitals) -> None:
        """Place the wave of an event whose mark is at that sample."""
        drawn = self._bank.wave(
            event.wave,
            event.qt,
            vitals.at("st", event.time),
            vitals.territory,
            vitals.at("potassium", event.time),
        )
        self._placed.append(Placed(index + drawn.begin, drawn.samples, event.size, name=event.wave, qt=event.qt))

    def pulse(self, index: int, stroke: float, systolic: float) -> None:
        """Place the pulses of a stroke. systolic: mmHg, of normal strokes."""
        for column, name in enumerate(self._pulses):
            unit = circulation.mmhg(systolic) if name == "ABP" else PLETH_SIZE * circulation.perfusion(systolic)
            begin = index + round(circulation.DELAY[name] * self.rate)
            self._placed.append(Placed(begin, circulation.pulse(name, self.rate), stroke * unit, column))

    def draw(self, begin: int, end: int) -> tuple[Singles, Singles]:
        """Samples `begin` to `end` of the ECG leads, mV, and of the pulses, in their units: float32 [n, leads]."""
        signal = np.zeros((end - begin, len(self.ecg)), np.float32)
        pulses = np.zeros((end - begin, len(self._pulses)), np.float32)
        going = []
        for placed in self._placed:
            first, last = placed.begin, placed.begin + len(placed.samples)
            low, high = max(first, begin), min(last, end)
            if low < high:
                part = placed.samples[low - first : high - first]
                if placed.column < 0:
                    signal[low - begin : high - begin] += part if placed.size == 1 else placed.size * part
                else:
                    pulses[low - begin : high - begin, placed.column] += placed.size * part
            if last > end:
                going.append(placed)
        self._placed = going
        return signal, pulses

    def codes(
        self, signal: Singles, pulses: Singles, saturated: Iterable[str], off: Iterable[str]
    ) -> NDArray[np.int16]:
        """All leads in ADU: int16 [n, leads]. saturated, off: leads at the end of their range, and without a signal."""
        for column, name in enumerate(self._pulses):
            pulses[:, column] += circulation.EMPTY_MMHG if name == "ABP" else PLETH_BASE
        out = np.concatenate((signal, pulses), axis=1) if self._pulses else signal
        if not self._plain:
            order = (*self.ecg, *self._pulses)
            out = out[:, [order.index(name) for name in self.names]]
        out *= self._gain
        np.rint(out, out=out)
        np.maximum(out, -OUTSIDE, out=out)
        np.minimum(out, OUTSIDE, out=out)
        codes = out.astype(np.int16)
        for name in saturated:
            codes[:, self._column[name]] = RAIL
        for name in off:
            codes[:, self._column[name]] = OFF_CODE
        return codes

    def swap(self, swap: Swap, index: int, vitals: Vitals) -> None:
        """Electrodes in each other's place from a sample on: waves that have begun go on as the leads show them now."""
        self._bank = bank(self.rate, self.ecg, swap, self._number)
        st, potassium = vitals.at("st", index / self.rate), vitals.at("potassium", index / self.rate)
        for placed in self._placed:
            if placed.column < 0:
                placed.samples = self._bank.wave(placed.name, placed.qt, st, vitals.territory, potassium).samples
