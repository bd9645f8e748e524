"""Conditions that beats make, compiled: `monitor.alarms.patterns`, whose names these are, and `irregular`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecg.signal import rule_numbers as r
from ecg.signal.kernels.conditions import Bed, begin, enabled, end, hold, keep, lasts
from ecg.signal.kernels.inner import inner
from ecg.signal.kernels.intervals import irregularity, quantile
from ecg.signal.kernels.witnessed import believable, broad, denies_fast, found, shown, tell

QT_INTERVALS = 8
NAMED_RUN, NAMED_VT = 1, 2


@inner
def _last(bed: Bed, index: int) -> int:
    """The last R-peak; `index` where there is none."""
    count = bed.numbers[r.BEATS]
    return int(bed.numbers[r.AT_BEATS + count - 1]) if count else index


@inner
def _mean_rr(run: Any, count: int, beats: int) -> float:
    """Mean RR interval of the last `beats` of `count` V."""
    return float((run[count - 1] - run[count - beats]) / (beats - 1))


@inner
def _end_run(bed: Bed, index: int) -> None:
    """The run in progress ended with its last V; two V make a couplet."""
    numbers = bed.numbers
    if numbers[r.RUN_LENGTH] == 2:
        begin(bed, r.COUPLET, bed.numbers[r.AT_RUN], index)
        end(bed, r.COUPLET, bed.numbers[r.AT_RUN + numbers[r.RUN] - 1], index)
    elif numbers[r.RUN_LENGTH] > 2:
        last = bed.numbers[r.AT_RUN + numbers[r.RUN] - 1]
        if not (numbers[r.BROAD] or shown(numbers[r.SIGNED :])):
            end(bed, r.VENTRICULAR_TACHYCARDIA, last, index)
        end(bed, r.VENTRICULAR_RHYTHM, last, index)
        end(bed, r.NONSUSTAINED_VT, last, index)
        end(bed, r.VENTRICULAR_RUN, last, index)
    numbers[r.RUN] = numbers[r.RUN_LENGTH] = numbers[r.RUN_NAMED] = 0


@inner
def stop(bed: Bed, index: int) -> None:
    """No beat has come for so long that no run or pattern goes on; known at `index`."""
    numbers, last = bed.numbers, _last(bed, index)
    _end_run(bed, index)
    for more in range(2):
        end(bed, r.BIGEMINY + more, last, index)
        numbers[r.CYCLES + more] = 0
    numbers[r.OTHERS] = 0
    numbers[r.LAST_CLASS] = r.NOTHING


@inner
def forget(bed: Bed) -> None:
    """Start afresh: the beats so far say nothing about those to come."""
    numbers = bed.numbers
    numbers[r.BEATS] = numbers[r.RUN] = numbers[r.RECENT_V] = numbers[r.RR] = numbers[r.EVIDENCE] = numbers[
        r.SECOND
    ] = 0
    numbers[r.DENIED] = numbers[r.DOUBTED] = -1
    numbers[r.BROAD] = False
    numbers[r.RUN_LENGTH] = numbers[r.OTHERS] = numbers[r.SINCE_AF] = numbers[r.RUN_NAMED] = 0
    numbers[r.LAST_CLASS] = r.NOTHING
    numbers[r.CYCLES] = numbers[r.CYCLES + 1] = 0


@inner
def _cycles(bed: Bed, index: int) -> None:
    """A V goes on with bigeminy or trigeminy, or ends it."""
    numbers, recent = bed.numbers, bed.numbers[r.AT_RECENT_V :]
    for more in range(2):
        kind, least = r.BIGEMINY + more, bed.whole[r.L_BIGEMINY + more]
        if numbers[r.OTHERS] == 1 + more:
            numbers[r.CYCLES + more] += 1
        else:
            end(bed, kind, _last(bed, index), index)
            numbers[r.CYCLES + more] = 1 if numbers[r.OTHERS] > 1 + more else 0
        if numbers[r.CYCLES + more] >= least:
            begin(bed, kind, recent[numbers[r.RECENT_V] - least], index)
    numbers[r.OTHERS] = 0


@inner
def _ventricular(bed: Bed, index: int) -> None:
    """A V: runs by length and rate, bigeminy and trigeminy, V per minute."""
    numbers, whole, real, run = bed.numbers, bed.whole, bed.real, bed.numbers[r.AT_RUN :]
    most = max(whole[r.L_FREQUENT] + 1, whole[r.L_BIGEMINY], whole[r.L_TRIGEMINY])
    keep(numbers, r.RECENT_V, r.AT_RECENT_V, index, most)
    earliest = numbers[r.RECENT_V] - whole[r.L_FREQUENT] - 1
    if earliest >= 0 and index - bed.numbers[r.AT_RECENT_V + earliest] < whole[r.L_MINUTE]:
        begin(bed, r.FREQUENT_V, bed.numbers[r.AT_RECENT_V + earliest], index)
    _cycles(bed, index)

    few, many, rhythm = whole[r.L_RUN_BEATS], whole[r.L_VT_BEATS], whole[r.L_RHYTHM_BEATS]
    keep(numbers, r.RUN, r.AT_RUN, index, max(many, rhythm, few))
    numbers[r.RUN_LENGTH] += 1
    if numbers[r.RUN_LENGTH] < few:
        return
    count = numbers[r.RUN]
    fast = _mean_rr(run, count, few) <= real[r.R_VT_RR]
    if not believable(bed, run[count - few : count], bed.real[r.T_EVEN_SHORT]):
        hold(bed, r.NONSUSTAINED_VT if fast else r.VENTRICULAR_RUN, run[count - few], index)
    elif fast:
        if numbers[r.RUN_NAMED] != NAMED_VT:
            numbers[r.RUN_NAMED] = NAMED_VT
            begin(bed, r.NONSUSTAINED_VT, run[count - few], index)
    elif not numbers[r.RUN_NAMED]:
        numbers[r.RUN_NAMED] = NAMED_RUN
        begin(bed, r.VENTRICULAR_RUN, run[count - few], index)
    if (
        numbers[r.RUN_LENGTH] >= many
        and _mean_rr(run, count, many) <= real[r.R_VT_RR]
        and believable(bed, run[count - many : count], bed.real[r.T_EVEN])
    ):
        tell(bed, run[count - many : count], index)
    if numbers[r.RUN_LENGTH] >= rhythm and real[r.R_VT_RR] < _mean_rr(run, count, rhythm) <= real[r.R_RHYTHM_RR]:
        begin(bed, r.VENTRICULAR_RHYTHM, run[count - rhythm], index)


@inner
def _other(bed: Bed, index: int) -> None:
    """A beat that is not V ends a run, and a pattern when it is one too many."""
    numbers = bed.numbers
    if numbers[r.RUN_LENGTH]:
        _end_run(bed, index)
    numbers[r.OTHERS] += 1
    for more in range(2):
        if numbers[r.OTHERS] > 1 + more:
            if numbers[r.CYCLES + more]:
                end(bed, r.BIGEMINY + more, _last(bed, index), index)
            numbers[r.CYCLES + more] = 0


@inner
def _r_on_t(bed: Bed, index: int) -> None:
    """R-on-T: this V fell within the QT interval of the beat before it."""
    beats, count = bed.numbers[r.AT_BEATS :], bed.numbers[r.BEATS]
    if count > QT_INTERVALS:
        mean = (beats[count - 1] - beats[count - QT_INTERVALS - 1]) / QT_INTERVALS
        if index - beats[count - 1] < bed.real[r.R_QT] * mean**0.5:
            begin(bed, r.R_ON_T, index, index)
            end(bed, r.R_ON_T, index, index)


@inner
def _rates(bed: Bed, index: int) -> None:
    """Tachycardia begins and bradycardia ends with a beat; their opposites come with time too."""
    beats, count = bed.numbers[r.AT_BEATS :], bed.numbers[r.BEATS]
    for which in range(2):
        kind, few = r.EXTREME_BRADYCARDIA if which else r.BRADYCARDIA, bed.whole[r.L_SLOW_COUNT + which]
        if count > few and index - beats[count - few - 1] < bed.real[r.R_SLOW_END + which] and lasts(bed, kind):
            end(bed, kind, index, index)
    for which in range(2):
        kind, few = r.EXTREME_TACHYCARDIA if which else r.TACHYCARDIA, bed.whole[r.L_FAST_COUNT + which]
        fast = count > few and index - beats[count - few - 1] < bed.real[r.R_FAST + which]
        if fast and not lasts(bed, kind):
            since = beats[count - few - 1]
            if denies_fast(bed, since, index, few):
                hold(bed, kind, since, index)
            else:
                begin(bed, kind, since, index)


@inner
def _ectopic(letter: int) -> bool:
    return letter in (r.S, r.V, r.F)


@inner
def _remember_rr(bed: Bed, index: int, letter: int, atrial: float) -> None:
    """Keep the RR interval this beat ends; 0 where an ectopic beat, a pause or noise spoils it."""
    numbers = bed.numbers
    if not numbers[r.BEATS]:
        return
    interval = index - bed.numbers[r.AT_BEATS + numbers[r.BEATS] - 1]
    sinus = not _ectopic(letter) and not _ectopic(numbers[r.LAST_CLASS])
    usable = sinus and not numbers[r.SIGNED + r.S_NOISY] and interval < bed.real[r.R_LONGEST_RR]
    count = numbers[r.RR]
    if count >= bed.whole[r.L_AF_BEATS]:
        for place in range(r.AT_RR, r.AT_RR + 2 * count - 2):
            numbers[place] = numbers[place + 2]
        for place in range(r.AT_ATRIAL, r.AT_ATRIAL + count - 1):
            bed.reals[place] = bed.reals[place + 1]
        count -= 1
    numbers[r.AT_RR + 2 * count], numbers[r.AT_RR + 2 * count + 1] = interval if usable else 0, index
    bed.reals[r.AT_ATRIAL + count] = atrial
    numbers[r.RR] = count + 1


@inner
def _p_waves(bed: Bed, atrial: Any, least: float) -> bool:
    """Do the atria beat, so that they do not fibrillate? The median of the last beats' evidence counts."""
    last = atrial[max(len(atrial) - bed.whole[r.T_P_BEATS], 0) :]
    known = np.sort(last[last != bed.real[r.T_UNKNOWN]])
    return 2 * len(known) > len(last) and known[len(known) // 2] > least


@inner
def _most(bed: Bed, rr: Any, limit: float, backwards: bool) -> int:
    """How many of the intervals, from one end on, have the largest sum of what each says for disorder."""
    used = np.sort(rr[rr != 0])
    largest = limit * quantile(used, 0.5) if len(used) else 0.0
    best, total, most, count = 0.0, 0.0, 0, len(rr)
    for turn in range(count):
        at = count - 1 - turn if backwards else turn
        weight, nearest = 0.0, -1
        for place in range(max(at - bed.whole[r.T_LAGS], 0), at):
            if rr[place]:
                apart = abs(rr[at] - rr[place])
                nearest = apart if nearest < 0 else min(nearest, apart)
        if rr[at] and nearest >= 0:
            weight = bed.real[r.T_DISORDERED] if nearest > largest else bed.real[r.T_ORDERED]
        total += weight
        if total > best:
            best, most = total, turn + 1
    return most


@inner
def _end_of(bed: Bed, count: int) -> int:
    """The R-peak that ends the last of so many intervals."""
    return int(bed.numbers[r.AT_RR + 2 * max(count - 1, 0) + 1])


@inner
def _irregular(bed: Bed, index: int) -> None:
    """Irregular rhythm begins above its limit and ends well below it."""
    count, limit = bed.numbers[r.RR], bed.real[r.R_IRREGULARITY]
    if count < bed.whole[r.L_AF_BEATS]:
        return
    rr, atrial = np.empty(count, np.int64), bed.reals[r.AT_ATRIAL : r.AT_ATRIAL + count]
    for place in range(count):
        rr[place] = bed.numbers[r.AT_RR + 2 * place]
    known = lasts(bed, r.ATRIAL_FIBRILLATION)
    enough = bed.real[r.T_RELEASE] * limit if known else limit
    value = irregularity(rr, bed.whole[r.T_LAGS], bed.real[r.T_SHARE], bed.whole[r.T_FEWEST], enough)
    if value < 0:
        return
    if not known:
        if value > limit and not _p_waves(bed, atrial, bed.real[r.T_P_WAVES]):
            first = count - _most(bed, rr, limit, True)
            begin(bed, r.ATRIAL_FIBRILLATION, _end_of(bed, first), index)
    elif value < bed.real[r.T_RELEASE] * limit or _p_waves(bed, atrial, bed.real[r.T_SURE_P_WAVES]):
        last = _most(bed, rr, limit, False)
        end(bed, r.ATRIAL_FIBRILLATION, _end_of(bed, last), index)


@inner
def beat(bed: Bed, index: int, letter: int, evidence: Any) -> None:
    """Everything that follows from a beat of this class at sample `index`. evidence: [4]."""
    numbers, whole = bed.numbers, bed.whole
    count, most = numbers[r.EVIDENCE], max(whole[r.L_VT_BEATS], bed.whole[r.T_KNOWN])
    if count >= most:
        for place in range(r.AT_EVIDENCE, r.AT_EVIDENCE + 4 * (count - 1)):
            bed.reals[place] = bed.reals[place + 4]
        count -= 1
    bed.reals[r.AT_EVIDENCE + 4 * count : r.AT_EVIDENCE + 4 * count + 4] = evidence
    numbers[r.EVIDENCE] = count + 1
    found(bed)
    broad(bed, index)
    if letter == r.V:
        if numbers[r.LAST_CLASS] != r.NOTHING and numbers[r.LAST_CLASS] != r.V:
            _r_on_t(bed, index)
        _ventricular(bed, index)
    else:
        _other(bed, index)
    _remember_rr(bed, index, letter, evidence[3])
    extra = numbers[r.BEATS] - whole[r.L_BEATS_KEPT]
    for _ in range(extra):  # only after an escape
        for place in range(numbers[r.BEATS] - 1):
            numbers[r.AT_BEATS + place] = numbers[r.AT_BEATS + place + 1]
        numbers[r.BEATS] -= 1
    keep(numbers, r.BEATS, r.AT_BEATS, index, whole[r.L_BEATS_KEPT])
    numbers[r.LAST_CLASS] = letter
    _rates(bed, index)
    numbers[r.SINCE_AF] += 1
    if numbers[r.SINCE_AF] >= bed.whole[r.T_EVERY] and enabled(bed, r.ATRIAL_FIBRILLATION):
        numbers[r.SINCE_AF] = 0
        _irregular(bed, index)
