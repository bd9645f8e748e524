"""Signs of the signals of a bed: what its leads and its pulse show that no single beat does.

Every half second both ECG leads and the pulse channel are looked at (`looks`), each lead for a wave without beats
(`disorder`) and for its quality (`ecg.signal.quality`), the pulse for beats (`ecg.signal.pulse`). They bear witness
together:

- *fibrillation*, or *tachycardia* where the wave repeats itself beat for beat, is shown in one lead at least that can
  be analysed, contradicted by none that shows QRS complexes on a quiet line, nor, for fibrillation, by a regular pulse.
  Two looks running make it, MISSES without it end it;
- a *run*: a lead's own beats are a ventricular tachycardia (`strokes`), and the other's do not deny it;
- *still*: for two seconds nothing like a QRS complex stands in any lead that can be analysed;
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

from ecg.signal import pulse, quality
from monitor.alarms import disorder, strokes
from monitor.alarms.looks import HALF, HOP, WINDOW, Floats, Look, Looks, Slots
from monitor.alarms.state import Sign

LOOKS_ON: Final = 2
MISSES: Final = 6
"""Looks that begin fibrillation, and looks without it that end it."""
IRREGULAR: Final = 2
"""Looks in a row that make fibrillation of a tachycardia."""
KNOWN_AFTER: Final = 3.0
"""s, about, from the first flutter wave to the look that makes it sure."""
QUIET_LOOKS: Final = 4
"""Looks in a row without a deflection that make stillness (2 s)."""

BRISK: Final = 50.0
"""1/min: a regular pulse that is faster contradicts an extreme bradycardia."""

FLAGS: Final = 7
WAVE, FAITHFUL, CLEAR, UNSTEADY, BAD, LOUD, LOW = (1 << place for place in range(FLAGS))
"""What a look at one lead shows, as bits of one number; above them stands why it is bad (`quality.Fault`)."""
ABSENT: Final = BAD
NOBODY: Final = (ABSENT, strokes.NONE)
"""A lead that is not there bears no witness."""
HELD: Final = 3
"""Looks that a tachycardia of a lead's beats lasts after the last that shows it."""
RECENT: Final = strokes.TAIL + HOP + 60
"""Blocks in which the last beat of a run must lie."""

CHANNELS: Final = ("lead", "second", "pulse", "other pulse")
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
        self._looks = {name: Looks(slots) for name in CHANNELS}
        self._strokes = {name: strokes.Beats(slots) for name in CHANNELS[:2]}
        self._own = _new_state(slots)
        self._beside: dict[tuple[int, int], tuple[int, strokes.Strokes]] = {}
        self._alive: dict[tuple[int, int], float] = {}
        self._second_off: dict[int, bool] = {}

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, a row for each bed."""
        parts = {f"{name}.{key}": rows for name, looks in self._looks.items() for key, rows in looks.state.items()}
        beats = {f"{name} beats.{key}": rows for name, one in self._strokes.items() for key, rows in one.state.items()}
        return {**self._own, **parts, **beats}

    @state.setter
    def state(self, value: dict[str, NDArray[Any]]) -> None:
        self._own = {name: value[name] for name in self._own}
        for name, looks in self._looks.items():
            looks.state = {key: value[f"{name}.{key}"] for key in looks.state}
        for name, one in self._strokes.items():
            one.state = {key: value[f"{name} beats.{key}"] for key in one.state}

    def seen(self, slots: Slots) -> NDArray[np.int64]:
        """The next sample of each slot: int64 [n]."""
        return np.asarray(self._looks["lead"].state["seen"][slots])

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their state."""
        if slots > self.slots:
            fresh = _new_state(slots - self.slots)
            self._own = {name: np.concatenate((old, fresh[name])) for name, old in self._own.items()}
            for held in (*self._looks.values(), *self._strokes.values()):
                held.grow(slots)
            self.slots = slots

    def reset(self, slots: Slots, rates: Floats, start: NDArray[np.int64]) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz."""
        slots = np.asarray(slots, np.int64)
        for name, value in _new_state(len(slots)).items():
            self._own[name][slots] = value
        self._own["ended"][slots] = start
        for looks in self._looks.values():
            looks.reset(slots, rates, start)
        for one in self._strokes.values():
            one.clear(slots)

    def beside(self, slots: Slots, chunks: list[NDArray[np.float32]], off: NDArray[np.bool_] | None = None) -> None:
        """The second ECG lead's samples of the span that `step` gets next, as `step` has them."""
        slots = np.asarray(slots, np.int64)
        gone = np.zeros(len(slots), bool) if off is None else off
        self._second_off.update(zip(slots.tolist(), gone.tolist(), strict=True))
        for look in self._looks["second"].step(slots, chunks):
            shown = self._shown("second", look)
            beats = self._strokes["second"].find(look)
            for slot, index, bits, own in zip(
                look.slots.tolist(), look.index.tolist(), shown.tolist(), beats, strict=True
            ):
                self._beside[slot, index] = (ABSENT, strokes.NONE) if self._second_off[slot] else (bits, own)

    def pulse(self, slots: Slots, chunks: list[NDArray[np.float32]], channel: int = 0) -> None:
        """The pulse channel's samples of the span that `step` gets next: float32 [n], any unit, without NaN.

        channel: 1 for a second one (pressure and plethysmogram); a pulse in either is one.
        """
        looks = self._looks[CHANNELS[2 + channel]]
        for look in looks.step(np.asarray(slots, np.int64), chunks):
            usual = looks.state["usual"]
            beats, usual[look.slots] = pulse.regular(look.means, look.spreads, look.rate, usual[look.slots])
            beats[look.blocks < WINDOW] = 0
            for key, rate in zip(
                zip(look.slots.tolist(), look.index.tolist(), strict=True), beats.tolist(), strict=True
            ):
                self._alive[key] = max(rate, self._alive.get(key, 0.0))

    def step(
        self, slots: Slots, chunks: list[NDArray[np.float32]], off: NDArray[np.bool_] | None = None
    ) -> list[tuple[int, Sign]]:
        """What becomes true with each slot's next samples (float32 [n], mV, contiguous with what it had before).

        A slot stands in `slots` at most once. The chunks may have different lengths, and hold no NaN (hold the
        last value in its place). off: bool [beds], a chunk whose lead is off all along (monitor/ward/lead_off.py);
        None where all are on. Returns (slot, sign), each slot's in order.
        """
        slots = np.asarray(slots, np.int64)
        off = np.zeros(len(slots), bool) if off is None else off
        gone = {slot: bool(one) for slot, one in zip(slots.tolist(), off.tolist(), strict=True)}
        first = self.seen(slots)
        signs: dict[int, dict[int, Sign]] = {slot: {} for slot in gone}
        for slot, index in zip(slots.tolist(), first.tolist(), strict=True):
            all_off = gone[slot] and self._second_off.get(slot, True)
            if all_off != bool(self._own["lead_off"][slot]):
                self._own["lead_off"][slot] = all_off
                signs[slot][index] = self._sign(slot, index)
        for look in self._looks["lead"].step(slots, chunks):
            shown = self._shown("lead", look)
            shown[[gone[slot] for slot in look.slots.tolist()]] = ABSENT
            self._weigh(look, shown, signs)
        for told in (self._beside, self._alive, self._second_off):
            told.clear()
        return [(slot, found[index]) for slot, found in signs.items() for index in sorted(found)]

    def _shown(self, name: str, look: Look) -> NDArray[np.int64]:
        """What a look at one lead shows, as bits: int64 [n]."""
        usual = self._looks[name].state["usual"]
        means, spreads = look.means[:, -HALF:], look.spreads[:, -HALF:]
        waves = disorder.describe(means, look.rate)
        full = look.blocks >= HALF
        kept = usual[look.slots]
        judged, learnt = quality.judge(means, spreads, kept, HOP)
        usual[look.slots] = np.where(full, learnt, kept)
        flags = (waves.wave, waves.faithful, waves.clear, waves.unsteady, judged.bad, judged.loud, judged.low)
        shown = np.zeros(len(look.slots), np.int64)
        for bit, flag in zip((WAVE, FAITHFUL, CLEAR, UNSTEADY, BAD, LOUD, LOW), flags, strict=True):
            shown |= np.where(flag, bit, 0)
        shown |= judged.faults << FLAGS
        return np.where(full, shown, LOUD)

    def _weigh(self, look: Look, one: NDArray[np.int64], signs: dict[int, dict[int, Sign]]) -> None:
        """What the witnesses of one look say together, and what of it is news."""
        own, where = self._own, look.slots
        keys = list(zip(where.tolist(), look.index.tolist(), strict=True))
        beside = [self._beside.get(key, NOBODY) for key in keys]
        two = np.array([bits for bits, _ in beside], np.int64)
        why = (one >> FLAGS, two >> FLAGS)
        one, two = one & ((1 << FLAGS) - 1), two & ((1 << FLAGS) - 1)
        pulses = np.array([self._alive.get(key, 0.0) for key in keys])
        alive = pulses > 0
        first, second = (np.where(bits & BAD, 0, bits) for bits in (one, two))
        heard, noisy = first | second, ((one & two) & BAD) > 0
        wave = ((heard & WAVE) > 0) & ((heard & CLEAR) == 0)
        shared = (((first & WAVE) > 0) | (one == ABSENT)) & (((second & WAVE) > 0) | ((two & BAD) > 0))
        faithful = wave & ~(_irregular(first) | _irregular(second))
        wave &= shared | ~faithful
        wave &= faithful | ~alive
        own["hits"][where] = hits = np.where(wave, own["hits"][where] + 1, 0)
        own["misses"][where] = misses = np.where(wave, 0, own["misses"][where] + 1)
        own["wild"][where] = wild = np.where(wave & ~faithful, own["wild"][where] + 1, 0)
        was = own["heard"][where]
        kind = np.where(faithful, 2, 1)
        now = np.where(was > 0, np.where(misses < MISSES, was, 0), np.where(hits >= LOOKS_ON, kind, 0))
        now = np.where((now == 2) & (wild >= IRREGULAR), 1, now)
        own["heard"][where] = now
        quiet = ~noisy & ((heard & LOUD) == 0)
        own["quiet"][where] = silent = np.where(quiet, own["quiet"][where] + 1, 0)
        moving = ((one & UNSTEADY) > 0) & ((two & (UNSTEADY | BAD)) > 0)
        unsteady = moving | wave  # the first look alone must hold asystole back
        self._find_runs(look, one, beside)
        begun = (now > 0) & (was == 0)
        early = look.index - np.round(KNOWN_AFTER * self._looks["lead"].state["rate"][where]).astype(np.int64)
        own["onset"][where] = np.where(begun, np.maximum(early, own["ended"][where]), own["onset"][where])
        own["ended"][where] = np.where((now == 0) & (was > 0), look.index, own["ended"][where])
        span = QUIET_LOOKS * HOP * self._looks["lead"].state["block"][where]
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
        for name, faults in zip(FAULTS, why, strict=True):
            changed |= faults != own[name][where]
            own[name][where] = faults
        for row in np.flatnonzero(changed).tolist():
            slot, index = keys[row]
            signs[slot][index] = self._sign(slot, index)

    def _find_runs(self, look: Look, one: NDArray[np.int64], beside: list[tuple[int, strokes.Strokes]]) -> None:
        """In which beds a lead shows a ventricular tachycardia by its beats, and since when."""
        own, beats, longest = self._own, self._run[0], self._run[1] * look.rate
        begins, blocks = self._looks["lead"].state["begin"], self._looks["lead"].state["block"]
        for row, first in enumerate(self._strokes["lead"].find(look)):
            slot, bits = int(look.slots[row]), beside[row][0]
            leads = [first if not one[row] & BAD else strokes.NONE, beside[row][1] if not bits & BAD else strokes.NONE]
            going = bool(own["held"][slot] > 0)
            oldest = int(look.blocks[row]) - RECENT
            since = [
                strokes.run(leads[lead], leads[1 - lead], beats, longest, going)
                for lead in (0, 1)
                if leads[lead].at and leads[lead].at[-1] >= oldest
            ]
            known = [at for at in since if at is not None]
            if known and not going:
                own["run_since"][slot] = int(begins[slot]) + min(known) * int(blocks[slot])
            own["held"][slot] = HELD if known else max(int(own["held"][slot]) - 1, 0)

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
        )


def _irregular(bits: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which leads show a wave that does not repeat itself."""
    return np.asarray((bits & (WAVE | FAITHFUL)) == WAVE)


def _new_state(slots: int) -> dict[str, NDArray[Any]]:
    """State of `slots` beds that have heard nothing."""
    numbers = ("hits", "misses", "wild", "heard", "quiet", "ended", "since", "onset", "held", "run_since", *FAULTS)
    flags = (*SHOWN, "lead_off")
    return {name: np.zeros(slots, np.int64) for name in numbers} | {name: np.zeros(slots, bool) for name in flags}
