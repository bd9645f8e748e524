"""How far beats are to be believed, compiled: `monitor.alarms.witness` and `runs`, whose names these are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecg.signal import rule_numbers as r
from ecg.signal.kernels.conditions import Bed, begin, end
from ecg.signal.kernels.inner import inner


@inner
def likeness(bed: Bed) -> float:
    """Mean correlation of the last beats with the usual one in the better lead; 2 where too few are known."""
    count = bed.numbers[r.EVIDENCE]
    if count < bed.whole[r.T_KNOWN]:
        return 2.0
    together = 0.0
    for place in range(count - bed.whole[r.T_KNOWN], count):
        v, alike, beside = (
            bed.reals[r.AT_EVIDENCE + 4 * place],
            bed.reals[r.AT_EVIDENCE + 4 * place + 1],
            bed.reals[r.AT_EVIDENCE + 4 * place + 2],
        )
        if v == bed.real[r.T_UNKNOWN]:
            return 2.0
        together += beside if beside > alike else alike
    return together / bed.whole[r.T_KNOWN]


@inner
def unfounded(bed: Bed) -> bool:
    """Are the last beats so unlike one another that what was taken for beats is noise? Asked once after each beat."""
    if bed.numbers[r.NOISE] < 0:
        bed.numbers[r.NOISE] = likeness(bed) < bed.real[r.T_FOUNDED]
    return bool(bed.numbers[r.NOISE])


@inner
def found(bed: Bed) -> None:
    """After a beat: remember that an ECG has been heard, and whether the last beats are noise."""
    like = likeness(bed)
    if not bed.numbers[r.FOUNDED]:
        bed.numbers[r.FOUNDED] = bed.real[r.T_SURELY_FOUNDED] <= like <= 1
    bed.numbers[r.NOISE] = like < bed.real[r.T_FOUNDED]


@inner
def _count(bed: Bed, since: int, index: int) -> int:
    """Intervals of the other lead between two samples."""
    count = 0
    for place in range(bed.numbers[r.SECOND]):
        count += since < bed.numbers[r.AT_SECOND + place] <= index
    return count


@inner
def slower_pulse(bed: Bed, interval: float) -> bool:
    """Does a pulse go on steadily that is too slow for beats so far apart?."""
    steady = bed.numbers[r.SIGNED + r.S_STEADY]
    return bool(steady > 0 and steady * bed.real[r.T_SLOWER] * interval < 60 * bed.real[r.R_RATE])


@inner
def denies_slow(bed: Bed, since: int, beats: int) -> bool:
    """Is it contradicted that only so many beats came since this R-peak?."""
    sign = bed.numbers[r.SIGNED :]
    if sign[r.S_NOISY] or sign[r.S_BRISK] or unfounded(bed):
        return True
    return bool(sign[r.S_SECOND] and _count(bed, since, bed.numbers[r.NOW]) >= bed.real[r.T_MORE] * beats)


@inner
def denies_fast(bed: Bed, since: int, index: int, intervals: int) -> bool:
    """Is it contradicted that there were so many RR intervals between these R-peaks?."""
    sign = bed.numbers[r.SIGNED :]
    if sign[r.S_NOISY] or unfounded(bed):
        return True
    if sign[r.S_SECOND] and _count(bed, since, index) < bed.real[r.T_FEWER] * intervals:
        return True
    return slower_pulse(bed, (index - since) / intervals)


@inner
def _even(places: Any, most: float) -> bool:
    """Do beats come evenly?."""
    longest = shortest = places[1] - places[0]
    for place in range(2, len(places)):
        step = places[place] - places[place - 1]
        longest, shortest = max(longest, step), min(shortest, step)
    return bool(longest <= most * shortest)


@inner
def second_fast(bed: Bed, intervals: int, span: float) -> int:
    """Where in its list the R-peak is since which the other lead alone shows a tachycardia; -1 where it does not."""
    second, count = bed.numbers[r.AT_SECOND :], bed.numbers[r.SECOND]
    if not bed.numbers[r.SIGNED + r.S_SECOND] or count <= intervals:
        return -1
    first = count - intervals - 1
    if second[count - 1] - second[first] >= span or not _even(second[first:count], bed.real[r.T_EVEN_SECOND]):
        return -1
    return -1 if slower_pulse(bed, (second[count - 1] - second[first]) / intervals) else first


@inner
def fast_until(bed: Bed, which: int) -> int:
    """The sample at which a tachycardia is over if no more beats come, in either lead. which: 1 for the extreme one."""
    count, more = bed.whole[r.L_FAST_COUNT + which], bed.whole[r.L_FAST_END + which]
    beats, second = bed.numbers[r.BEATS], bed.numbers[r.SECOND]
    until = bed.numbers[r.AT_BEATS + beats - min(count, beats)] + more if beats else bed.numbers[r.QUIET_SINCE]
    if bed.numbers[r.SIGNED + r.S_SECOND] and second >= count:
        until = max(until, bed.numbers[r.AT_SECOND + second - count] + more)
    return int(until)


@inner
def shown(sign: Any) -> bool:
    """Does the signal itself show a ventricular tachycardia?."""
    return bool((sign[r.S_TACHYCARDIA] or sign[r.S_RUN] >= 0) and not sign[r.S_LEAD_OFF] and not sign[r.S_FIBRILLATION])


@inner
def _ventricular(bed: Bed, place: int) -> bool:
    """Is this beat ventricular, or one that may well be?."""
    one = bed.reals[r.AT_EVIDENCE + 4 * place :]
    unlike = one[1] < bed.real[r.T_UNLIKE] and one[2] < bed.real[r.T_UNLIKE_BESIDE]
    return bool(one[0] >= bed.real[r.T_SURELY] or (one[0] >= bed.real[r.T_POSSIBLY] and unlike))


@inner
def usual(bed: Bed, since: int) -> bool:
    """Are the beats from sample `since` on the bed's usual ones, whatever a lead by itself makes of them?."""
    count, told, bound = 0, bed.numbers[r.EVIDENCE], since - bed.real[r.R_BEFORE]
    for place in range(bed.numbers[r.BEATS]):
        count += bed.numbers[r.AT_BEATS + place] >= bound
    if not count:
        return False
    first = told - count
    if first < 0:  # where more beats are known than evidence: as a list is counted from behind
        first = max(first + told, 0)
    alike, known, together = np.empty(told - first), 0, 0.0
    for place in range(first, told):
        if bed.reals[r.AT_EVIDENCE + 4 * place] != bed.real[r.T_UNKNOWN]:
            alike[known] = bed.reals[r.AT_EVIDENCE + 4 * place + 1]
            together += bed.reals[r.AT_EVIDENCE + 4 * place]
            known += 1
    if known < bed.whole[r.T_FEW]:
        return False
    return bool(np.sort(alike[:known])[known // 2] >= bed.real[r.T_USUAL] and together < bed.real[r.T_POSSIBLY] * known)


@inner
def tell(bed: Bed, run: Any, index: int) -> bool:
    """Raise a tachycardia, these R-peaks, at once; where a steady pulse is too slow for it, wait for what comes."""
    numbers, interval = bed.numbers, (run[-1] - run[0]) / (len(run) - 1)
    if slower_pulse(bed, interval):
        if numbers[r.DOUBTED] < 0:
            numbers[r.DOUBTED], bed.reals[r.DOUBTED_RR] = run[0], interval
            numbers[r.DOUBTED_UNTIL] = index + bed.whole[r.L_PULSE_WAIT]
        return False
    numbers[r.DOUBTED] = -1
    begin(bed, r.VENTRICULAR_TACHYCARDIA, run[0], index)
    return True


@inner
def weigh(bed: Bed, index: int) -> None:
    """What has become of a tachycardia that was doubted: raised if the pulse no longer denies it."""
    numbers = bed.numbers
    if numbers[r.DOUBTED] < 0:
        return
    if not slower_pulse(bed, bed.reals[r.DOUBTED_RR]):
        begin(bed, r.VENTRICULAR_TACHYCARDIA, numbers[r.DOUBTED], index)
        if not numbers[r.RUN_LENGTH] and not numbers[r.BROAD] and not shown(numbers[r.SIGNED :]):
            last = bed.numbers[r.AT_BEATS + numbers[r.BEATS] - 1] if numbers[r.BEATS] else index
            end(bed, r.VENTRICULAR_TACHYCARDIA, last, index)
        numbers[r.DOUBTED] = -1
    elif index >= numbers[r.DOUBTED_UNTIL]:
        numbers[r.DOUBTED] = -1


@inner
def broad(bed: Bed, index: int) -> None:
    """A tachycardia by all its beats together. index: the newest beat, whose evidence is the last."""
    numbers, count, beats, told = bed.numbers, bed.whole[r.L_VT_BEATS], bed.numbers[r.BEATS], bed.numbers[r.EVIDENCE]
    longest = (count - 1) * bed.real[r.R_VT_RR]
    slow = beats < count - 1 or index - bed.numbers[r.AT_BEATS + beats + 1 - count] > longest
    if slow and not numbers[r.BROAD]:  # as nearly always
        return
    ventricular = 0
    for place in range(max(told - count, 0), told):
        if bed.reals[r.AT_EVIDENCE + 4 * place] == bed.real[r.T_UNKNOWN]:
            return
        ventricular += _ventricular(bed, place)
    if numbers[r.BROAD]:
        for place in range(max(told - bed.whole[r.T_LAST], 0), told):
            if _ventricular(bed, place):
                return
        numbers[r.BROAD] = False
        if not numbers[r.RUN_LENGTH] and not shown(numbers[r.SIGNED :]):
            end(bed, r.VENTRICULAR_TACHYCARDIA, bed.numbers[r.AT_BEATS + beats - 1], index)
        return
    if told < count or numbers[r.SIGNED + r.S_NOISY]:
        return
    places = np.empty(count, np.int64)
    places[:-1] = bed.numbers[r.AT_BEATS + beats + 1 - count : r.AT_BEATS + beats]
    places[-1] = index
    if (
        places[-1] - places[0] <= longest
        and _even(places, bed.real[r.T_EVEN])
        and ventricular >= count - bed.whole[r.T_STRAYS]
    ):
        numbers[r.BROAD] = tell(bed, places, index)


@inner
def believable(bed: Bed, run: Any, even: float) -> bool:
    """May this run of V, the last beats there are, be told? run: their R-peaks."""
    told, known, ventricular = bed.numbers[r.EVIDENCE], 0, 0
    for place in range(max(told - len(run), 0), told):
        if bed.reals[r.AT_EVIDENCE + 4 * place] != bed.real[r.T_UNKNOWN]:
            known += 1
            ventricular += _ventricular(bed, place)
    if not known:
        return True
    return not bed.numbers[r.SIGNED + r.S_NOISY] and _even(run, even) and ventricular >= known - bed.whole[r.T_STRAYS]
