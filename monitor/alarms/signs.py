"""Signs of the signals of a bed: what its leads and its pulse show that no single beat does.

Every half second both ECG leads and the pulse channel are looked at (`looks`), each lead for a wave without beats
(`disorder`) and for its quality (`ecg.signal.quality`), the pulse for beats (`ecg.signal.pulse`). They bear witness
together:

- *fibrillation*, or *tachycardia* where the wave repeats itself beat for beat, is shown in one lead at least that can
  be analysed, contradicted by none that shows QRS complexes on a quiet line, nor, for fibrillation, by a regular pulse.
  Two looks running make it, MISSES without it end it;
- a *run*: a lead's own beats are a ventricular tachycardia (`strokes`), and the other's do not deny it;
- *still*: for two seconds nothing like a QRS complex stands in any lead that can be analysed; where none can, in any
  in which muscle or mains is all that is wrong: noise too small to hide a heart must not hide that there is none;
- *alive*: a regular pulse goes on;
- *noisy*: no lead can be analysed;
- *unsteady*: beats may be missed;
- *lead off*: every lead is off, as it is told.

A bed with one lead and without a pulse is one with fewer witnesses. Everything is computed per bed from samples counted
since its reset: results do not depend on chunks or company.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.signal.chunks import Signals
from monitor.alarms import strokes
from monitor.alarms.judging import Judge
from monitor.alarms.looks import HALF, Floats, Looks, Slots
from monitor.alarms.pulses import PulseLooks
from monitor.alarms.remembered import LEADS, as_rows, as_signs, new_state
from monitor.alarms.state import Sign


class SignalSigns:
    """Signs of the signals of `slots` beds.

    state: dict of arrays [slots, ...]; copy it to save all beds, put it back to go on as if nothing had happened.
    run_beats, run_rate: beats of a ventricular tachycardia and their least rate, 1/min.
    """

    def __init__(self, slots: int, run_beats: int = 6, run_rate: float = 130.0) -> None:
        self.slots = slots
        self._looks, self._strokes = Looks(len(LEADS) * slots, HALF), strokes.Beats(len(LEADS) * slots)
        self._pulses = PulseLooks(slots)
        self._judge = Judge(self._looks, self._strokes, self._pulses, run_beats, 60 / run_rate)
        self._beside: list[tuple[Slots, Signals, NDArray[np.bool_]]] = []

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, a row for each bed."""
        parts = self._judge.own | self._pulses.state
        for number, lead in enumerate(LEADS):
            parts |= {f"{lead}.{key}": rows[number :: len(LEADS)] for key, rows in self._looks.state.items()}
            parts |= {f"{lead} beats.{key}": rows[number :: len(LEADS)] for key, rows in self._strokes.state.items()}
        return parts

    @state.setter
    def state(self, value: dict[str, NDArray[Any]]) -> None:
        self._judge.own = {name: value[name] for name in self._judge.own}
        self._looks.state = {key: _both(value, f"{{}}.{key}") for key in self._looks.state}
        self._strokes.state = {key: _both(value, f"{{}} beats.{key}") for key in self._strokes.state}
        self._pulses.state = value

    def seen(self, slots: Slots) -> NDArray[np.int64]:
        """The next sample of each slot: int64 [n]."""
        return np.asarray(self._looks.state["seen"][len(LEADS) * np.asarray(slots)])

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their state."""
        if slots > self.slots:
            fresh = new_state(slots - self.slots)
            self._judge.own = {name: np.concatenate((old, fresh[name])) for name, old in self._judge.own.items()}
            self._looks.grow(len(LEADS) * slots)
            self._strokes.grow(len(LEADS) * slots)
            self._pulses.grow(slots)
            self.slots = slots

    def reset(self, slots: Slots, rates: Floats, start: NDArray[np.int64], pulse: bool = True) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz.

        pulse: False where the pulse goes on, of which no sample is lost.
        """
        slots = np.asarray(slots, np.int64)
        for values in self._judge.own.values():
            values[slots] = 0
        self._judge.own["ended"][slots] = start
        rows = np.concatenate([len(LEADS) * slots + number for number in range(len(LEADS))])
        self._looks.reset(rows, np.tile(rates, len(LEADS)), np.tile(start, len(LEADS)))
        self._strokes.clear(rows)
        if pulse:
            self._pulses.reset(slots, rates, start)

    def beside(self, slots: Slots, chunks: Signals, off: NDArray[np.bool_] | None = None) -> None:
        """The second ECG lead's samples of the span that `step` gets next, as `step` has them."""
        slots = np.asarray(slots, np.int64)
        self._beside.append((slots, chunks, np.zeros(len(slots), bool) if off is None else np.asarray(off, bool)))

    def pulse(self, slots: Slots, chunks: Signals, channel: int = 0) -> None:
        """The pulse channel's samples of the span that `step` gets next: float32 [n], any unit, without NaN.

        channel: 1 for a second one (pressure and plethysmogram); a pulse in either is one.
        """
        self._pulses.take(slots, chunks, channel)

    def step(self, slots: Slots, chunks: Signals, off: NDArray[np.bool_] | None = None) -> list[tuple[int, Sign]]:
        """What becomes true with each slot's next samples (float32 [n], mV, contiguous with what it had before).

        A slot stands in `slots` at most once. The chunks may have different lengths, and hold no NaN (hold the
        last value in its place). off: bool [beds], a chunk whose lead is off all along (monitor/ward/lead_off.py);
        None where all are on. Returns (slot, sign), each slot's in order.
        """
        slots = np.asarray(slots, np.int64)
        heard = [(slots, chunks, np.zeros(len(slots), bool) if off is None else np.asarray(off, bool)), *self._beside]
        self._beside.clear()
        rows = np.concatenate([len(LEADS) * one[0] + (number > 0) for number, one in enumerate(heard)])
        found, told = self.step_leads(
            slots, rows, [chunk for one in heard for chunk in one[1]], np.concatenate([one[2] for one in heard])
        )
        signs = as_signs(found, told)
        turn = {slot: place for place, slot in enumerate(slots.tolist())}
        return sorted(signs, key=lambda one: turn[one[0]])

    def step_leads(
        self, slots: Slots, rows: Slots, chunks: Signals, off: NDArray[np.bool_]
    ) -> tuple[Slots, NDArray[np.int64]]:
        """`step` of both leads at once. rows: twice the slot, and one more for its second lead. off: bool [rows].

        Returns slots [n] and their signs as numbers [n, 15], each slot's in order.
        """
        gone = np.ones(len(LEADS) * self.slots, bool)
        gone[rows] = off
        own, signs = self._judge.own, list[tuple[int, Sign]]()
        all_off = gone[len(LEADS) * slots] & gone[len(LEADS) * slots + 1]
        news = slots[all_off != own["lead_off"][slots]]
        own["lead_off"][slots] = all_off
        for slot, index in zip(news.tolist(), self.seen(news).tolist(), strict=True):
            signs.append((slot, self._judge.sign(slot, index)))
        look = self._looks.step(rows, chunks)
        found, told = self._judge.judge(look, gone) if len(look) else as_rows([])
        self._pulses.end()
        return _together(as_rows(signs), (found, told)) if signs else (found, told)


def _together(
    one: tuple[Slots, NDArray[np.int64]], other: tuple[Slots, NDArray[np.int64]]
) -> tuple[Slots, NDArray[np.int64]]:
    """Signs in order of slots and time; where both have one of the same sample the other's holds."""
    slots, told = np.concatenate((one[0], other[0])), np.concatenate((one[1], other[1]))
    order = np.lexsort((np.arange(len(slots)), told[:, 0], slots))
    slots, told = slots[order], told[order]
    last = np.ones(len(slots), bool)
    last[:-1] = (slots[1:] != slots[:-1]) | (told[1:, 0] != told[:-1, 0])
    return slots[last], told[last]


def _both(value: dict[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """Rows of either lead, one behind the other. name: with {} for the lead."""
    rows = np.stack([value[name.format(lead)] for lead in LEADS], axis=1)
    return rows.reshape(-1, *rows.shape[2:])
