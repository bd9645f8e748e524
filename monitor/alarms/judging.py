"""What half-second looks at the leads of beds mean, whatever they show: the witnesses weighed together.

Both ways, compiled (`ecg.signal.kernels.judging`) and NumPy, remember the same and say the same, bit for bit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import compiled, quality
from ecg.signal.compiled import Kernels, Rules
from ecg.signal.look_bits import ABSENT, BAD, CLEAR, FAITHFUL, FLAGS, LOUD, LOW, UNSTEADY, WAVE
from ecg.signal.slots import rounds
from monitor.alarms import disorder, strokes
from monitor.alarms.looks import HALF, HOP, Floats, Look, Looks
from monitor.alarms.pulses import PulseLooks
from monitor.alarms.remembered import FAULTS, LEADS, SHOWN, as_rows, new_state, sign_of
from monitor.alarms.shown import measured
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


class Judge:
    """What is remembered of beds beside their leads' looks and beats, and how looks change it.

    own: arrays [beds]. looks, beats: rows of both leads of each bed, one behind the other. run_beats, run_rr: of a
    ventricular tachycardia, and its longest mean RR interval, s.
    """

    def __init__(self, looks: Looks, beats: strokes.Beats, pulses: PulseLooks, run_beats: int, run_rr: float) -> None:
        self._looks, self._beats, self._pulses = looks, beats, pulses
        self._run = run_beats, run_rr
        self._rules = _rules(run_beats, run_rr)
        self.own = new_state(looks.slots // len(LEADS))

    def judge(self, look: Look, gone: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Looks at four seconds of leads: the beds of which something is news, and what is true of them from then on.

        gone: of every row, that it is off. Returns slots [n] and signs as numbers [n, 15].
        """
        if fast := compiled.kernels():
            return self._compiled(fast, look, gone)
        return as_rows(self._plain(look, gone))

    def sign(self, slot: int, index: int) -> Sign:
        """What is true of a bed from sample `index` on."""
        own = self.own
        wave = own["fibrillation"][slot] or own["tachycardia"][slot]
        return sign_of(
            index,
            [
                own["fibrillation"][slot],
                own["unsteady"][slot],
                own["lead_off"][slot],
                own["onset"][slot] if wave else -1,
                own["tachycardia"][slot],
                own["since"][slot] if own["still"][slot] else -1,
                own["alive"][slot],
                own["brisk"][slot],
                own["noisy"][slot],
                own["second"][slot],
                own["run_since"][slot] if own["run"][slot] else -1,
                own["faults"][slot],
                own["faults_second"][slot],
                own["steady"][slot],
            ],
        )

    def _compiled(
        self, fast: Kernels, look: Look, gone: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`judge` in one call, but for pulses, of which most beds have none."""
        bits, measures, places = measured(look)
        beds = look.slots // len(LEADS)
        pulse, steady = self._pulses.at(beds, look.index)
        coarse = _coarse(steady) if steady.any() else np.zeros(len(look), np.int64)
        seen = (look.slots, look.index, look.blocks, look.rate, bits, *measures, pulse, steady, coarse)
        news, told = fast.judge(self.own, self._looks.state, self._beats.state, gone, seen, places, self._rules)
        return beds[news], np.concatenate((look.index[news, None], told), axis=1)

    def _plain(self, look: Look, gone: NDArray[np.bool_]) -> list[tuple[int, Sign]]:
        """`judge` with NumPy: the first look at each lead, then the second of those that have one, and so on."""
        told: list[tuple[int, Sign]] = []
        shown, qualities, found = measured(look)
        for turn in rounds(look.slots):
            where, full = look.slots[turn], look.blocks[turn] >= HALF
            kept = self._looks.state["usual"][where]
            judged, learnt = quality.weigh(qualities.take(turn), kept, np.maximum(look.blocks[turn] - HALF, 0) / HOP)
            self._looks.state["usual"][where] = np.where(full, learnt, kept)
            self._beats.take(where, found.of(turn))
            bits = shown[turn] | BAD * judged.bad | LOUD * judged.loud | LOW * judged.low | judged.faults << FLAGS
            bits = np.where(gone[where], ABSENT, np.where(full, bits, LOUD))
            index, first = look.index[turn], np.flatnonzero(where % len(LEADS) == 0)
            mate = np.minimum(first + 1, len(where) - 1)  # the bed's other row comes next, where it has one
            mated = (where[mate] == where[first] + 1) & (index[mate] == index[first])
            if len(first):
                self._weigh(look.take(turn[first]), bits[first], np.where(mated, bits[mate], ABSENT), told)
        return told

    def _weigh(self, look: Look, one: NDArray[np.int64], two: NDArray[np.int64], told: list[tuple[int, Sign]]) -> None:
        """What the witnesses of one look say together, and what of it is news. one, two: bits of either lead."""
        own, rows = self.own, look.slots
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
            told.append((slot, self.sign(slot, index)))

    def _find_runs(self, look: Look, one: NDArray[np.int64], two: NDArray[np.int64], steady: Floats) -> None:
        """In which beds a lead shows a ventricular tachycardia by its beats, and since when. steady: pulse, 1/min."""
        own, beats, longest = self.own, self._run[0], self._run[1] * look.rate
        begins, blocks = self._looks.state["begin"], self._looks.state["block"]
        where, oldest = look.slots // len(LEADS), look.blocks - RECENT
        absent = (one & BAD) > 0, (two & BAD) > 0
        shortest = np.where(steady > 0, 60 * look.rate / (SLOWER * np.maximum(steady, 1.0)), 0)
        may = [
            ~absent[lead] & self._beats.may_run(look.slots + lead, oldest, beats, longest) for lead in range(len(LEADS))
        ]
        own["held"][where], held = np.maximum(own["held"][where] - 1, 0), own["held"][where]
        for row in np.flatnonzero(may[0] | may[1]).tolist():
            slot, first = int(where[row]), int(look.slots[row])
            leads = [strokes.NONE if absent[lead][row] else self._beats.last(first + lead) for lead in (0, 1)]
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


def _rules(run_beats: int, run_rr: float) -> Rules:
    """What the compiled way is told of the rules."""
    return Rules(
        half=HALF,
        hop=HOP,
        recent=RECENT,
        looks_on=LOOKS_ON,
        misses=MISSES,
        irregular=IRREGULAR,
        quiet_looks=QUIET_LOOKS,
        held=HELD,
        known_after=KNOWN_AFTER,
        brisk=BRISK,
        slowest=disorder.SLOWEST,
        slower=SLOWER,
        run_beats=run_beats,
        run_rr=run_rr,
        own=strokes.OWN,
        refractory=strokes.REFRACTORY,
        alike=strokes.ALIKE,
        quick=strokes.QUICK,
        slow=strokes.SLOW,
        near=strokes.NEAR,
        even=strokes.EVEN,
        unlike=strokes.UNLIKE,
        one_another=strokes.ONE_ANOTHER,
        strays=strokes.STRAYS,
        faster=strokes.FASTER,
        earlier=strokes.EARLIER,
        fewest=strokes.FEWEST,
    )
