"""The technical alarm "cannot analyse", compiled: `monitor.alarms.unreadable`."""

from __future__ import annotations

from ecg.signal import rule_numbers as r
from ecg.signal.kernels.conditions import Bed, begin, enabled, end, lasts
from ecg.signal.kernels.inner import inner


@inner
def signed(bed: Bed) -> None:
    """A sign has taken effect: whether a lead can be analysed from now on."""
    numbers, sign = bed.numbers, bed.numbers[r.SIGNED :]
    if sign[r.S_NOISY] or sign[r.S_LEAD_OFF]:
        if numbers[r.UNREAD_SINCE] < 0:
            numbers[r.UNREAD_SINCE] = sign[r.S_INDEX]
        numbers[r.READ_SINCE] = -1
    elif numbers[r.UNREAD_SINCE] >= 0 and numbers[r.READ_SINCE] < 0:
        numbers[r.READ_SINCE] = sign[r.S_INDEX]


@inner
def deadline(bed: Bed) -> int:
    """The sample at which time alone changes something."""
    numbers = bed.numbers
    if numbers[r.READ_SINCE] >= 0:
        return int(numbers[r.READ_SINCE] + bed.whole[r.L_READABLE])
    if numbers[r.UNREAD_SINCE] >= 0 and enabled(bed, r.CANNOT_ANALYSE) and not lasts(bed, r.CANNOT_ANALYSE):
        return int(numbers[r.UNREAD_SINCE] + bed.whole[r.L_UNREADABLE])
    return r.NEVER


@inner
def tick(bed: Bed, now: int) -> None:
    """The alarm begins once nothing could be analysed for long enough, and ends once something can for a while."""
    numbers, sign = bed.numbers, bed.numbers[r.SIGNED :]
    if numbers[r.READ_SINCE] >= 0:
        if now >= numbers[r.READ_SINCE] + bed.whole[r.L_READABLE]:
            end(bed, r.CANNOT_ANALYSE, numbers[r.READ_SINCE], now)
            numbers[r.UNREAD_SINCE] = numbers[r.READ_SINCE] = -1
            numbers[r.SPELL] = 0
    elif numbers[r.UNREAD_SINCE] >= 0 and now >= numbers[r.UNREAD_SINCE] + bed.whole[r.L_UNREADABLE]:
        if not lasts(bed, r.CANNOT_ANALYSE):
            numbers[r.WHY] = r.WHY_OFF if sign[r.S_LEAD_OFF] else sign[r.S_FAULTS] | sign[r.S_FAULTS_SECOND]
        begin(bed, r.CANNOT_ANALYSE, numbers[r.UNREAD_SINCE], now)
