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

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import quality
from ecg.signal.slots import rounds
from monitor.alarms import disorder, strokes
from monitor.alarms.looks import HALF, HOP, Floats, Look, Looks, Slots
from monitor.alarms.pulses import PulseLooks
from monitor.alarms.shown import ABSENT, BAD, CLEAR, FAITHFUL, FLAGS, LOUD, LOW, UNSTEADY, WAVE, measured
from monitor.alarms.state import Sign
from monitor.alarms.witness import SLOWER

LOOKS_ON: Final = 2
MISSES: Final = 6
"""Looks that begin fibrillation, and looks without it that end it."""
IRREGULAR: Final = 2
"""Looks in a row that make fibrillation of a tachycardia."""
KNOWN_AFTER: Final = 3.0
"""s, about, from the first flutter wave to the look that makes it sure."""
QUIET_LOOKS: Final = 4
"""Looks in a row without a deflection that make stillness (2 s)."""

COARSE: Final = 1.05
"""A pulse's rate is news where it is so many times another."""

BRISK: Final = 50.0
"""1/min: a regular pulse that is faster contradicts an extreme bradycardia."""

HELD: Final = 3
"""Looks that a tachycardia of a lead's beats lasts after the last that shows it."""
RECENT: Final = strokes.TAIL + HOP + 60
"""Blocks in which the last beat of a run must lie."""

LEADS: Final = ("lead", "second")
"""Each bed has a row for either, one behind the other."""
SHOWN: Final = ("fibrillation", "unsteady", "tachycardia", "still", "alive", "brisk", "noisy", "second", "run")
"""What half-second looks decide."""
FAULTS: Final = ("faults", "faults_second")
"""And why each lead cannot be analysed."""


class SignalSigns:
    """Signs of the signals of `slots` beds.

    state: dict of arrays [slots, ...]; copy it to save all beds, put it back to go on as if nothing had happened.
    run_beats, run_rate: beats of a ventricular tachycardia and their least rate, 1/min.
    """

    def __init__(self, slots: int, run_beats: int = 6, run_rate: float = 130.0) -> None:
        self.slots = slots
        self._run = run_beats, 60 / run_rate
        self._looks, self._strokes = Looks(len(LEADS) * slots), strokes.Beats(len(LEADS) * slots)
        self._pulses = PulseLooks(slots)
        self._own = _new_state(slots)
        self._beside: list[tuple[Slots, list[NDArray[np.float32]], NDArray[np.bool_]]] = []

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, a row for each bed."""
        parts = self._own | self._pulses.state
        for number, lead in enumerate(LEADS):
            parts |= {f"{lead}.{key}": rows[number :: len(LEADS)] for key, rows in self._looks.state.items()}
            parts |= {f"{lead} beats.{key}": rows[number :: len(LEADS)] for key, rows in self._strokes.state.items()}
        return parts

    @state.setter
    def state(self, value: dict[str, NDArray[Any]]) -> None:
        self._own = {name: value[name] for name in self._own}
        self._looks.state = {key: _both(value, f"{{}}.{key}") for key in self._looks.state}
        self._strokes.state = {key: _both(value, f"{{}} beats.{key}") for key in self._strokes.state}
        self._pulses.state = value

    def seen(self, slots: Slots) -> NDArray[np.int64]:
        """The next sample of each slot: int64 [n]."""
        return np.asarray(self._looks.state["seen"][len(LEADS) * np.asarray(slots)])

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their state."""
        if slots > self.slots:
            fresh = _new_state(slots - self.slots)
            self._own = {name: np.concatenate((old, fresh[name])) for name, old in self._own.items()}
            self._looks.grow(len(LEADS) * slots)
            self._strokes.grow(len(LEADS) * slots)
            self._pulses.grow(slots)
            self.slots = slots

    def reset(self, slots: Slots, rates: Floats, start: NDArray[np.int64], pulse: bool = True) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz.

        pulse: False where the pulse goes on, of which no sample is lost.
        """
        slots = np.asarray(slots, np.int64)
        for values in self._own.values():
            values[slots] = 0
        self._own["ended"][slots] = start
        rows = np.concatenate([len(LEADS) * slots + number for number in range(len(LEADS))])
        self._looks.reset(rows, np.tile(rates, len(LEADS)), np.tile(start, len(LEADS)))
        self._strokes.clear(rows)
        if pulse:
            self._pulses.reset(slots, rates, start)

    def beside(self, slots: Slots, chunks: list[NDArray[np.float32]], off: NDArray[np.bool_] | None = None) -> None:
        """The second ECG lead's samples of the span that `step` gets next, as `step` has them."""
        slots = np.asarray(slots, np.int64)
        self._beside.append((slots, chunks, np.zeros(len(slots), bool) if off is None else np.asarray(off, bool)))

    def pulse(self, slots: Slots, chunks: list[NDArray[np.float32]], channel: int = 0) -> None:
        """The pulse channel's samples of the span that `step` gets next: float32 [n], any unit, without NaN.

        channel: 1 for a second one (pressure and plethysmogram); a pulse in either is one.
        """
        self._pulses.take(slots, chunks, channel)

    def step(
        self, slots: Slots, chunks: list[NDArray[np.float32]], off: NDArray[np.bool_] | None = None
    ) -> list[tuple[int, Sign]]:
        """What becomes true with each slot's next samples (float32 [n], mV, contiguous with what it had before).

        A slot stands in `slots` at most once. The chunks may have different lengths, and hold no NaN (hold the
        last value in its place). off: bool [beds], a chunk whose lead is off all along (monitor/ward/lead_off.py);
        None where all are on. Returns (slot, sign), each slot's in order.
        """
        slots = np.asarray(slots, np.int64)
        heard = [(slots, chunks, np.zeros(len(slots), bool) if off is None else np.asarray(off, bool)), *self._beside]
        rows = np.concatenate([len(LEADS) * one[0] + (number > 0) for number, one in enumerate(heard)])
        gone = np.ones(len(LEADS) * self.slots, bool)
        gone[rows] = np.concatenate([one[2] for one in heard])
        signs: dict[int, dict[int, Sign]] = {slot: {} for slot in slots.tolist()}
        all_off = gone[len(LEADS) * slots] & gone[len(LEADS) * slots + 1]
        news = slots[all_off != self._own["lead_off"][slots]]
        self._own["lead_off"][slots] = all_off
        for slot, index in zip(news.tolist(), self.seen(news).tolist(), strict=True):
            signs[slot][index] = self._sign(slot, index)
        order, pieces = np.argsort(rows), [chunk for one in heard for chunk in one[1]]
        look = self._looks.step(rows[order], [pieces[place] for place in order.tolist()], HALF)
        if len(look):
            self._judge(look, gone, signs)
        self._beside.clear()
        self._pulses.end()
        return [(slot, found[index]) for slot, found in signs.items() for index in sorted(found)]

    def _judge(self, look: Look, gone: NDArray[np.bool_], signs: dict[int, dict[int, Sign]]) -> None:
        """What looks at leads show, and what it means for their beds. gone: of every row, that it is off."""
        shown, qualities, found = measured(look)
        for turn in rounds(look.slots):
            where, full = look.slots[turn], look.blocks[turn] >= HALF
            kept = self._looks.state["usual"][where]
            judged, learnt = quality.weigh(qualities.take(turn), kept, np.maximum(look.blocks[turn] - HALF, 0) / HOP)
            self._looks.state["usual"][where] = np.where(full, learnt, kept)
            self._strokes.take(where, found.of(turn))
            bits = shown[turn] | BAD * judged.bad | LOUD * judged.loud | LOW * judged.low | judged.faults << FLAGS
            bits = np.where(gone[where], ABSENT, np.where(full, bits, LOUD))
            index, first = look.index[turn], np.flatnonzero(where % len(LEADS) == 0)
            mate = np.minimum(first + 1, len(where) - 1)  # the bed's other row comes next, where it has one
            mated = (where[mate] == where[first] + 1) & (index[mate] == index[first])
            if len(first):
                self._weigh(look.take(turn[first]), bits[first], np.where(mated, bits[mate], ABSENT), signs)

    def _weigh(
        self, look: Look, one: NDArray[np.int64], two: NDArray[np.int64], signs: dict[int, dict[int, Sign]]
    ) -> None:
        """What the witnesses of one look say together, and what of it is news. one, two: bits of either lead."""
        own, rows = self._own, look.slots
        where = rows // len(LEADS)
        keys = list(zip(where.tolist(), look.index.tolist(), strict=True))
        why = (one >> FLAGS, two >> FLAGS)
        one, two = one & ((1 << FLAGS) - 1), two & ((1 << FLAGS) - 1)
        pulses, steady = self._pulses.at(where, look.index)
        alive = pulses > 0
        first, second = (np.where(bits & BAD, 0, bits) for bits in (one, two))
        heard, noisy = first | second, ((one & two) & BAD) > 0
        wave = ((heard & WAVE) > 0) & ((heard & CLEAR) == 0)
        shared = (((first & WAVE) > 0) | (one == ABSENT)) & (((second & WAVE) > 0) | ((two & BAD) > 0))
        faithful = wave & ~(_irregular(first) | _irregular(second))
        wave &= shared | ~faithful
        wave &= np.where(faithful, (steady == 0) | (steady * SLOWER > 60 * disorder.SLOWEST), ~alive)
        own["hits"][where] = hits = np.where(wave, own["hits"][where] + 1, 0)
        own["misses"][where] = misses = np.where(wave, 0, own["misses"][where] + 1)
        own["wild"][where] = wild = np.where(wave & ~faithful, own["wild"][where] + 1, 0)
        was = own["heard"][where]
        kind = np.where(faithful, 2, 1)
        now = np.where(was > 0, np.where(misses < MISSES, was, 0), np.where(hits >= LOOKS_ON, kind, 0))
        now = np.where((now == 2) & (wild >= IRREGULAR), 1, now)
        own["heard"][where] = now
        quiet = np.where(noisy, _hushed(one, two, *why), (heard & LOUD) == 0)
        own["quiet"][where] = silent = np.where(quiet, own["quiet"][where] + 1, 0)
        moving = ((one & UNSTEADY) > 0) & ((two & (UNSTEADY | BAD)) > 0)
        unsteady = moving | wave  # the first look alone must hold asystole back
        self._find_runs(look, one, two, steady)
        begun = (now > 0) & (was == 0)
        early = look.index - np.round(KNOWN_AFTER * self._looks.state["rate"][rows]).astype(np.int64)
        own["onset"][where] = np.where(begun, np.maximum(early, own["ended"][where]), own["onset"][where])
        own["ended"][where] = np.where((now == 0) & (was > 0), look.index, own["ended"][where])
        span = QUIET_LOOKS * HOP * self._looks.state["block"][rows]
        own["since"][where] = np.where(silent == QUIET_LOOKS, look.index - span, own["since"][where])
        shown = (
            now == 1,
            unsteady,
            now == 2,
            silent >= QUIET_LOOKS,
            alive,
            pulses > BRISK,
            noisy,
            (two & BAD) == 0,
            own["held"][where] > 0,
        )
        changed = np.zeros(len(where), bool)
        for name, value in zip(SHOWN, shown, strict=True):
            changed |= value != own[name][where]
            own[name][where] = value
        for name, number in (*zip(FAULTS, why, strict=True), ("steady", _coarse(steady))):
            changed |= number != own[name][where]
            own[name][where] = number
        for row in np.flatnonzero(changed).tolist():
            slot, index = keys[row]
            signs[slot][index] = self._sign(slot, index)

    def _find_runs(self, look: Look, one: NDArray[np.int64], two: NDArray[np.int64], steady: Floats) -> None:
        """In which beds a lead shows a ventricular tachycardia by its beats, and since when. steady: pulse, 1/min."""
        own, beats, longest = self._own, self._run[0], self._run[1] * look.rate
        begins, blocks = self._looks.state["begin"], self._looks.state["block"]
        where, oldest = look.slots // len(LEADS), look.blocks - RECENT
        absent = (one & BAD) > 0, (two & BAD) > 0
        shortest = np.where(steady > 0, 60 * look.rate / (SLOWER * np.maximum(steady, 1.0)), 0)
        may = [
            ~absent[lead] & self._strokes.may_run(look.slots + lead, oldest, beats, longest)
            for lead in range(len(LEADS))
        ]
        own["held"][where], held = np.maximum(own["held"][where] - 1, 0), own["held"][where]
        for row in np.flatnonzero(may[0] | may[1]).tolist():
            slot, first = int(where[row]), int(look.slots[row])
            leads = [strokes.NONE if absent[lead][row] else self._strokes.last(first + lead) for lead in (0, 1)]
            since = [
                strokes.run(
                    leads[lead],
                    leads[1 - lead],
                    beats,
                    (float(shortest[row]), float(longest[row])),
                    bool(held[row] > 0),
                )
                for lead in (0, 1)
                if may[lead][row]
            ]
            known = [at for at in since if at is not None]
            if known:
                if held[row] <= 0:
                    own["run_since"][slot] = int(begins[first]) + min(known) * int(blocks[first])
                own["held"][slot] = HELD

    def _sign(self, slot: int, index: int) -> Sign:
        """What is true of a slot from sample `index` on."""
        own = self._own
        is_ = {name: bool(own[name][slot]) for name in (*SHOWN, "lead_off")}
        return Sign(
            index=index,
            fibrillation=is_["fibrillation"],
            unsteady=is_["unsteady"],
            lead_off=is_["lead_off"],
            onset=int(own["onset"][slot]) if is_["fibrillation"] or is_["tachycardia"] else -1,
            tachycardia=is_["tachycardia"],
            still=int(own["since"][slot]) if is_["still"] else -1,
            alive=is_["alive"],
            brisk=is_["brisk"],
            noisy=is_["noisy"],
            second=is_["second"],
            run=int(own["run_since"][slot]) if is_["run"] else -1,
            faults=int(own["faults"][slot]),
            faults_second=int(own["faults_second"][slot]),
            steady=int(own["steady"][slot]),
        )


def _both(value: dict[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """Rows of either lead, one behind the other. name: with {} for the lead."""
    rows = np.stack([value[name.format(lead)] for lead in LEADS], axis=1)
    return rows.reshape(-1, *rows.shape[2:])


def _hushed(
    one: NDArray[np.int64], two: NDArray[np.int64], why: NDArray[np.int64], why_second: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Is muscle or mains all that is wrong with a lead, and too small to hide a QRS complex in any such lead?."""
    (fine, loud), (other, loud_too) = (
        (faults == quality.Fault.MUSCLE, (bits & LOUD) > 0) for bits, faults in ((one, why), (two, why_second))
    )
    return np.asarray((fine | other) & ~(fine & loud) & ~(other & loud_too))


def _coarse(rates: Floats) -> NDArray[np.int64]:
    """The rates of pulses, 1/min, in coarse steps, never below the rate itself; 0 stays 0."""
    steps = np.ceil(np.log(np.maximum(rates, 1.0)) / np.log(COARSE))
    return np.asarray(np.where(rates > 0, np.ceil(COARSE**steps), 0).astype(np.int64))


def _irregular(bits: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which leads show a wave that does not repeat itself."""
    return np.asarray((bits & (WAVE | FAITHFUL)) == WAVE)


def _new_state(slots: int) -> dict[str, NDArray[Any]]:
    """State of `slots` beds that have heard nothing."""
    numbers = (
        "hits",
        "misses",
        "wild",
        "heard",
        "quiet",
        "ended",
        "since",
        "onset",
        "held",
        "run_since",
        "steady",
        *FAULTS,
    )
    flags = (*SHOWN, "lead_off")
    return {name: np.zeros(slots, np.int64) for name in numbers} | {name: np.zeros(slots, bool) for name in flags}
