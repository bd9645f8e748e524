"""What time alone brings about of one bed's alarms, and when, compiled: `monitor.alarms.bed`, whose names these are."""

from __future__ import annotations

from typing import Any

from ecg.signal import rule_numbers as r
from ecg.signal.kernels import patterned, unread
from ecg.signal.kernels.conditions import Bed, begin, clear, enabled, end, hold, lasts, shown_until
from ecg.signal.kernels.inner import inner
from ecg.signal.kernels.witnessed import denies_slow, fast_until, unfounded, weigh


@inner
def silent_since(bed: Bed) -> int:
    """The last beat in any lead, or the end of whatever kept beats from being heard."""
    numbers = bed.numbers
    since, second = numbers[r.QUIET_SINCE], numbers[r.SECOND]
    return int(
        max(since, bed.numbers[r.AT_SECOND + second - 1]) if second and numbers[r.SIGNED + r.S_STILL] < 0 else since
    )


@inner
def silences(bed: Bed) -> tuple[int, int]:
    """Samples at which a pause and an asystole are reached if no beat comes."""
    whole, since = bed.whole, silent_since(bed)
    if unfounded(bed):
        return since + whole[r.L_UNFOUNDED_PAUSE], since + whole[r.L_UNFOUNDED_ASYSTOLE]
    if bed.numbers[r.SIGNED + r.S_UNSTEADY]:
        return since + whole[r.L_UNSTEADY_PAUSE], since + whole[r.L_UNSTEADY_ASYSTOLE]
    return since + whole[r.L_PAUSE], since + whole[r.L_ASYSTOLE]


@inner
def held_back(bed: Bed) -> bool:
    """Is there nothing to be told from the leads, or a pulse that says more than they do?."""
    numbers = bed.numbers
    if (numbers[r.SIGNED + r.S_NOISY] and numbers[r.SIGNED + r.S_STILL] < 0) or numbers[r.SIGNED + r.S_ALIVE]:
        return True
    return not numbers[r.FOUNDED] and unfounded(bed)


@inner
def _awaits_asystole(bed: Bed) -> bool:
    """Would an asystole be told, or counted as held back?."""
    if not enabled(bed, r.ASYSTOLE) or lasts(bed, r.ASYSTOLE):
        return False
    told = (bed.numbers[r.SPELL] >> r.ASYSTOLE) & 1
    return not held_back(bed) or bool(bed.numbers[r.SIGNED + r.S_NOISY] and not told)


@inner
def back(bed: Bed) -> int:
    """When the V that makes them frequent is over, a minute old; where limits have changed the first that is known."""
    count = bed.numbers[r.RECENT_V]
    since = (
        bed.numbers[r.AT_RECENT_V + count - min(bed.whole[r.L_FREQUENT] + 1, count)]
        if count
        else bed.numbers[r.QUIET_SINCE]
    )
    return int(since + bed.whole[r.L_MINUTE])


@inner
def without_beats(numbers: Any) -> bool:
    """Are there no beats to be counted?."""
    return bool(numbers[r.SIGNED + r.S_FIBRILLATION] or numbers[r.SIGNED + r.S_LEAD_OFF])


@inner
def schedule(bed: Bed) -> None:
    """The next sample at which something changes by itself."""
    numbers, whole, beats = bed.numbers, bed.whole, bed.numbers[r.BEATS]
    deadline = min(numbers[r.NEXT_SIGN], numbers[r.NEXT_PEAK])
    if not without_beats(numbers):
        pause, asystole = silences(bed)
        if pause < deadline and not numbers[r.STOPPED]:
            deadline = pause
        if asystole < deadline and _awaits_asystole(bed):
            deadline = asystole
        for which in range(2):
            count = whole[r.L_SLOW_COUNT + which]
            if beats < count:
                continue
            first, kind = bed.numbers[r.AT_BEATS + beats - count], r.EXTREME_BRADYCARDIA if which else r.BRADYCARDIA
            reached = first + whole[r.L_SLOW_SPAN + which]
            if reached < deadline and first > numbers[r.DENIED] and enabled(bed, kind) and not lasts(bed, kind):
                deadline = reached
    if numbers[r.DOUBTED] >= 0:
        deadline = min(deadline, numbers[r.DOUBTED_UNTIL])
    if numbers[r.UNREAD_SINCE] >= 0 or numbers[r.READ_SINCE] >= 0:
        deadline = min(deadline, unread.deadline(bed))
    for place in range(numbers[r.EPISODES]):
        kind = bed.numbers[r.AT_SHOWN + place]
        if bed.numbers[r.AT_EPISODES + r.EPISODE * kind + r.OVER] >= 0:
            deadline = min(deadline, shown_until(bed, kind))
        elif kind == r.TACHYCARDIA or kind == r.EXTREME_TACHYCARDIA:
            deadline = min(deadline, fast_until(bed, 0 if kind == r.TACHYCARDIA else 1))
        elif kind == r.FREQUENT_V:
            deadline = min(deadline, back(bed))
    numbers[r.DEADLINE] = deadline


@inner
def _end_by_time(bed: Bed, now: int) -> None:
    """What of the alarms there are is over, or no longer shown, at sample `now`."""
    place = 0
    while place < bed.numbers[r.EPISODES]:
        kind = bed.numbers[r.AT_SHOWN + place]
        if bed.numbers[r.AT_EPISODES + r.EPISODE * kind + r.OVER] >= 0:
            if shown_until(bed, kind) <= now:
                clear(bed, kind, now)
        elif kind == r.TACHYCARDIA or kind == r.EXTREME_TACHYCARDIA:
            if now >= fast_until(bed, 0 if kind == r.TACHYCARDIA else 1):
                end(bed, kind, now, now)
        elif kind == r.FREQUENT_V and now >= back(bed):
            end(bed, kind, now, now)
        if place < bed.numbers[r.EPISODES] and bed.numbers[r.AT_SHOWN + place] == kind:
            place += 1


@inner
def tick(bed: Bed, now: int) -> None:
    """What time alone brings about at sample `now`."""
    numbers, whole = bed.numbers, bed.whole
    _end_by_time(bed, now)
    unread.tick(bed, now)
    weigh(bed, now)
    if without_beats(numbers):
        return
    pause, asystole = silences(bed)
    held = held_back(bed)
    if now >= asystole:
        _silent(bed, r.ASYSTOLE, held, now)
    if now >= pause and not numbers[r.STOPPED]:
        numbers[r.STOPPED] = True
        patterned.stop(bed, now)
        _silent(bed, r.PAUSE, held, now)
    for which in range(2):
        kind, count, beats = (
            r.EXTREME_BRADYCARDIA if which else r.BRADYCARDIA,
            whole[r.L_SLOW_COUNT + which],
            numbers[r.BEATS],
        )
        if beats < count or lasts(bed, kind):
            continue
        first = bed.numbers[r.AT_BEATS + beats - count]
        if now >= first + whole[r.L_SLOW_SPAN + which]:
            if denies_slow(bed, first, count):
                numbers[r.DENIED] = max(numbers[r.DENIED], first)
                hold(bed, kind, first, now)
            else:
                begin(bed, kind, first, now)


@inner
def _silent(bed: Bed, kind: int, held: bool, now: int) -> None:
    """No beat for so long: told, or held back."""
    if held:
        hold(bed, kind, silent_since(bed), now)
    else:
        begin(bed, kind, silent_since(bed), now)
