"""The alarms of many beds, compiled: beats, signs of the signal and the sample clock in, changes out.

What `monitor.alarms.bed` does, bed by bed, with the constants that whoever calls gives; its words say what and why.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from ecg.signal import rule_numbers as r
from ecg.signal.kernels import patterned, unread
from ecg.signal.kernels.conditions import (
    Bed,
    Memory,
    active,
    begin,
    end,
    keep,
)
from ecg.signal.kernels.inner import inner
from ecg.signal.kernels.scheduling import schedule, tick, without_beats
from ecg.signal.kernels.witnessed import second_fast, shown, usual, weigh

MOST = 128
"""Changes that one step of one bed may make, and more."""


class Heard(NamedTuple):
    """Beats in order, each [n]: bed, R-peak, class, the last sample it needs, and evidence [n, 4]."""

    slots: Any
    index: Any
    letters: Any
    ready: Any
    evidence: Any


@inner
def _hear(bed: Bed, coming: Any) -> None:
    """The next R-peak of the other lead counts from now on."""
    numbers, index = bed.numbers, coming[0]
    numbers[r.COMING] -= 1
    for place in range(numbers[r.COMING]):
        coming[place] = coming[place + 1]
    numbers[r.NEXT_PEAK] = coming[0] if numbers[r.COMING] else r.NEVER
    keep(numbers, r.SECOND, r.AT_SECOND, index, bed.whole[r.L_BEATS_KEPT])
    if without_beats(numbers):
        return
    for which in range(2):
        first = second_fast(bed, bed.whole[r.L_FAST_COUNT + which], bed.real[r.R_FAST + which])
        if first >= 0:
            begin(bed, r.EXTREME_TACHYCARDIA if which else r.TACHYCARDIA, bed.numbers[r.AT_SECOND + first], index)


@inner
def _forget(bed: Bed, now: int) -> None:
    """End every condition that beats or their absence made, and start counting afresh."""
    place = 0
    while place < bed.numbers[r.EPISODES]:
        kind = bed.numbers[r.AT_SHOWN + place]
        if (bed.whole[r.T_PASSING] >> kind) & 1:
            end(bed, kind, now, now)
        if place < bed.numbers[r.EPISODES] and bed.numbers[r.AT_SHOWN + place] == kind:
            place += 1
    bed.numbers[r.QUIET_SINCE] = now
    bed.numbers[r.STOPPED] = False
    patterned.forget(bed)
    bed.numbers[r.NOISE] = -1


@inner
def _escaped(bed: Bed, now: int) -> None:
    """Stillness is over. What was taken for no beat a moment ago, and was large enough to end it, is one."""
    numbers, at, last = bed.numbers, bed.numbers[r.UNLIKE], bed.numbers[r.QUIET_SINCE]
    if numbers[r.BEATS]:
        last = max(last, bed.numbers[r.AT_BEATS + numbers[r.BEATS] - 1])
    if at > last and now - at <= bed.real[r.R_ESCAPE]:
        numbers[r.STOPPED], numbers[r.QUIET_SINCE] = False, at
        end(bed, r.ASYSTOLE, at, now)
        end(bed, r.PAUSE, at, now)
        keep(numbers, r.BEATS, r.AT_BEATS, at, r.MOST_BEATS)


@inner
def _grown(bed: Bed, onset: int, now: int) -> None:
    """A run of V that turns into a wave without beats has been a tachycardia."""
    run = bed.numbers[r.AT_EPISODES + r.EPISODE * r.NONSUSTAINED_VT :]
    over = run[r.OVER]
    if active(bed, r.NONSUSTAINED_VT) and (over < 0 or over >= onset - bed.real[r.R_GROWN]):
        begin(bed, r.VENTRICULAR_TACHYCARDIA, run[r.BEGAN], now)


@inner
def _apply(bed: Bed, told: Any) -> None:
    """The next sign of the signal takes effect."""
    numbers, now = bed.numbers, bed.numbers[r.NOW]
    sign, before = numbers[r.SIGNED :], numbers[r.SIGNED : r.SIGNED + r.SIGN].copy()
    sign[: r.SIGN] = told[0]
    numbers[r.TOLD] -= 1
    for place in range(numbers[r.TOLD]):
        told[place] = told[place + 1]
    numbers[r.NEXT_SIGN] = told[0, r.S_INDEX] if numbers[r.TOLD] else r.NEVER
    unread.signed(bed)
    wave, off, was_off = sign[r.S_FIBRILLATION] != 0, sign[r.S_LEAD_OFF] != 0, before[r.S_LEAD_OFF] != 0
    was_wave = before[r.S_FIBRILLATION] != 0
    if sign[r.S_STILL] >= 0 and before[r.S_STILL] < 0:
        numbers[r.QUIET_SINCE] = min(numbers[r.QUIET_SINCE], max(sign[r.S_STILL], numbers[r.SURE]))
    elif sign[r.S_STILL] < 0 <= before[r.S_STILL] and not wave and not off:
        _escaped(bed, now)
    onset = sign[r.S_ONSET] if sign[r.S_ONSET] >= 0 else sign[r.S_INDEX]
    if wave and not was_wave and not off:
        _grown(bed, onset, now)
    if off != was_off or wave != was_wave:
        _forget(bed, now)
    if off:
        begin(bed, r.LEAD_OFF, sign[r.S_INDEX], now)
    else:
        end(bed, r.LEAD_OFF, sign[r.S_INDEX], now)
    if wave and not off:
        begin(bed, r.FIBRILLATION, onset, now)
    else:
        end(bed, r.FIBRILLATION, sign[r.S_INDEX], now)
    weigh(bed, now)
    if shown(sign):
        since = sign[r.S_RUN] if sign[r.S_RUN] >= 0 else onset
        if not usual(bed, since):
            begin(bed, r.VENTRICULAR_TACHYCARDIA, since, now)
    elif shown(before) and not numbers[r.BROAD]:
        end(bed, r.VENTRICULAR_TACHYCARDIA, sign[r.S_INDEX], now)


@inner
def _full(bed: Bed) -> bool:
    """May the next step make more changes than the log has room for?."""
    return bool(bed.log[0, 0] + MOST > len(bed.log))


@inner
def _advance(bed: Bed, told: Any, coming: Any, index: int) -> bool:
    """Let time pass up to `index`, stopping wherever something changes by itself. False where the log is full."""
    numbers = bed.numbers
    while numbers[r.DEADLINE] <= index:
        if _full(bed):
            return False
        numbers[r.NOW] = max(numbers[r.DEADLINE], numbers[r.NOW])
        if numbers[r.NEXT_SIGN] <= numbers[r.NOW]:
            _apply(bed, told)
        elif numbers[r.NEXT_PEAK] <= numbers[r.NOW]:
            _hear(bed, coming)
        else:
            tick(bed, numbers[r.NOW])
        schedule(bed)
    numbers[r.NOW] = max(numbers[r.NOW], index)
    return not _full(bed)


@inner
def _beat(bed: Bed, index: int, letter: int, evidence: Any) -> None:
    """A beat; where the leads are still, what is unlike the bed's own is none unless it ends the stillness."""
    numbers, alike, beside = bed.numbers, evidence[1], evidence[2]
    numbers[r.NOISE] = -1
    better = max(beside, alike if beside == bed.real[r.T_UNKNOWN] else 0.0 * alike)
    if alike == bed.real[r.T_UNKNOWN] or min(alike, better) >= bed.real[r.T_SURE]:
        numbers[r.SURE] = index
    elif numbers[r.SIGNED + r.S_STILL] >= 0:
        numbers[r.UNLIKE] = index
        schedule(bed)
        return
    numbers[r.STOPPED] = False
    numbers[r.QUIET_SINCE] = max(index, numbers[r.QUIET_SINCE])
    if not without_beats(numbers):
        end(bed, r.ASYSTOLE, index, index)
        end(bed, r.PAUSE, index, index)
        patterned.beat(bed, index, letter, evidence)
    schedule(bed)


@inner
def _noisy(bed: Bed, told: Any, index: int) -> bool:
    """Could no lead be analysed up to this sample, which the clock may not have reached?."""
    for place in range(bed.numbers[r.TOLD] - 1, -1, -1):
        if told[place, r.S_INDEX] <= index:
            return bool(told[place, r.S_NOISY])
    return bool(bed.numbers[r.SIGNED + r.S_NOISY])


@inner
def _bed(memory: Memory, slot: int, limits: tuple[Any, Any], log: Any) -> Bed:
    numbers = memory.numbers[slot]
    return Bed(numbers, memory.reals[slot], limits[0][numbers[r.LIMITS]], limits[1][numbers[r.LIMITS]], log)


@njit(cache=True, nogil=True, error_model="numpy")
def sign(memory: Memory, slots: Any, told: Any) -> None:
    """Signs [n, SIGN] of these beds, for the clock to reach: after those of the same sample that are there."""
    for number in range(len(slots)):
        slot, index = slots[number], told[number, 0]
        numbers, waiting = memory.numbers[slot], memory.told[slot]
        place = numbers[r.TOLD]
        while place > 0 and waiting[place - 1, r.S_INDEX] > index:
            waiting[place] = waiting[place - 1]
            place -= 1
        waiting[place] = told[number]
        numbers[r.TOLD] += 1
        numbers[r.NEXT_SIGN] = waiting[0, r.S_INDEX]
        numbers[r.DEADLINE] = min(numbers[r.DEADLINE], numbers[r.NEXT_SIGN])


@njit(cache=True, nogil=True, error_model="numpy")
def tell(
    memory: Memory,
    limits: tuple[Any, Any],
    detected: Any,
    heard: Heard,
    clocks: Any,
    begun: Any,
    out: tuple[Any, Any],
) -> None:
    """R-peaks [n, 2] (slot, index) of leads that do not lead, then beats, then clocks [n, 2] (slot, up to where).

    begun: int64 [3], how many of each are done: where the log is full, whoever calls empties it and calls again.
    out: log of changes (see `conditions.Bed`), and bool [beats], which beats are in noise.
    """
    log, noisy = out
    log[0, 0] = 0
    for number in range(begun[0], len(detected)):
        slot, numbers = detected[number, 0], memory.numbers[detected[number, 0]]
        memory.coming[slot, numbers[r.COMING]] = detected[number, 1]
        numbers[r.COMING] += 1
        numbers[r.NEXT_PEAK] = memory.coming[slot, 0]
        numbers[r.DEADLINE] = min(numbers[r.DEADLINE], numbers[r.NEXT_PEAK])
    begun[0] = len(detected)
    for number in range(begun[1], len(heard.slots)):
        slot = heard.slots[number]
        bed, told = _bed(memory, slot, limits, log), memory.told[slot]
        noisy[number] = _noisy(bed, told, heard.ready[number])
        if not _advance(bed, told, memory.coming[slot], heard.index[number]):
            return
        _beat(bed, heard.index[number], heard.letters[number], heard.evidence[number])
        begun[1] = number + 1
    for number in range(begun[2], len(clocks)):
        slot, index = clocks[number, 0], clocks[number, 1]
        if index >= memory.numbers[slot, r.DEADLINE]:
            bed = _bed(memory, slot, limits, log)
            if not _advance(bed, memory.told[slot], memory.coming[slot], index):
                return
        begun[2] = number + 1
