"""Alarms of one bed as they are raised, held back, ended and cleared, compiled: `monitor.alarms.episodes`."""

from __future__ import annotations

from typing import Any, NamedTuple

from ecg.signal import rule_numbers as r
from ecg.signal.kernels.inner import inner


class Memory(NamedTuple):
    """What the rules remember, arrays [slots, ...]: numbers, whole and real, as `ecg.signal.rule_numbers` says.

    told: signs that the clock has not reached, [slots, n, SIGN]. coming: such R-peaks of the lead that does not lead.
    """

    numbers: Any
    reals: Any
    told: Any
    coming: Any


class Bed(NamedTuple):
    """The rows of one bed. whole, real: its limits, with the rules' constants. log: changes, log[0, 0] of them, from
    row 1 on.
    """

    numbers: Any
    reals: Any
    whole: Any
    real: Any
    log: Any


@inner
def keep(numbers: Any, length: int, at: int, value: int, most: int) -> None:
    """The next value of the list at column `at`; the oldest goes where there are `most` already.

    numbers[length]: how long the list is.
    """
    count = numbers[length]
    if count >= most:
        for place in range(at, at + count - 1):
            numbers[place] = numbers[place + 1]
        count -= 1
    numbers[at + count] = value
    numbers[length] = count + 1


@inner
def enabled(bed: Bed, kind: int) -> bool:
    """Is the kind switched on?."""
    return bool((bed.whole[r.L_ENABLED] >> kind) & 1)


@inner
def active(bed: Bed, kind: int) -> bool:
    """Is there an episode of the kind?."""
    return bool(bed.numbers[r.AT_EPISODES + r.EPISODE * kind + r.RAISED] >= 0)


@inner
def lasts(bed: Bed, kind: int) -> bool:
    """Whether the condition is known to be true at present, and switched on."""
    return active(bed, kind) and bed.numbers[r.AT_EPISODES + r.EPISODE * kind + r.OVER] < 0


@inner
def _note(bed: Bed, what: int, kind: int, index: int, onset: int, over: int, hidden: bool) -> None:
    bed.log[0, 0] += 1
    row = bed.log[bed.log[0, 0]]
    row[0], row[1], row[2], row[3] = bed.numbers[r.SLOT], what, kind, index
    row[4], row[5], row[6] = onset, over, hidden


@inner
def _hidden(bed: Bed, kind: int) -> bool:
    graver = bed.whole[r.T_GRAVER + kind]
    hidden = False
    for place in range(bed.numbers[r.EPISODES]):
        hidden |= bool((graver >> bed.numbers[r.AT_SHOWN + place]) & 1)
    return hidden


@inner
def shown_until(bed: Bed, kind: int) -> int:
    """Last sample at which an alarm whose condition is over is shown."""
    episode = bed.numbers[r.AT_EPISODES + r.EPISODE * kind :]
    if (bed.whole[r.T_HIGH] >> kind) & 1:
        return -1 if episode[r.ACKNOWLEDGED] else r.NEVER
    return int(episode[r.RAISED] + bed.whole[r.L_MINIMUM])


@inner
def clear(bed: Bed, kind: int, index: int) -> None:
    """The alarm is no longer shown."""
    episode = bed.numbers[r.AT_EPISODES + r.EPISODE * kind :]
    _note(bed, r.CLEAR, kind, index, episode[r.BEGAN], episode[r.OVER], _hidden(bed, kind))
    episode[r.RAISED] = -1
    place = 0
    while bed.numbers[r.AT_SHOWN + place] != kind:
        place += 1
    for later in range(place, bed.numbers[r.EPISODES] - 1):
        bed.numbers[r.AT_SHOWN + later] = bed.numbers[r.AT_SHOWN + later + 1]
    bed.numbers[r.EPISODES] -= 1


@inner
def begin(bed: Bed, kind: int, onset: int, index: int) -> None:
    """The condition is true since `onset`, known at `index`; nothing happens while it already is."""
    if not enabled(bed, kind):
        return
    episode = bed.numbers[r.AT_EPISODES + r.EPISODE * kind :]
    if active(bed, kind):
        if episode[r.OVER] < 0:
            return
        if not episode[r.ACKNOWLEDGED] and index - episode[r.OVER] <= bed.whole[r.L_MINUTE]:
            episode[r.OVER] = -1
            episode[r.TIMES] += 1
            _note(bed, r.AGAIN, kind, index, onset, -1, _hidden(bed, kind))
            return
        clear(bed, kind, index)
    episode[r.BEGAN], episode[r.RAISED], episode[r.OVER], episode[r.ACKNOWLEDGED], episode[r.TIMES] = (
        onset,
        index,
        -1,
        0,
        1,
    )
    bed.numbers[r.AT_SHOWN + bed.numbers[r.EPISODES]] = kind
    bed.numbers[r.EPISODES] += 1
    _note(bed, r.ONSET, kind, index, onset, -1, _hidden(bed, kind))


@inner
def hold(bed: Bed, kind: int, onset: int, index: int) -> None:
    """The condition would be true since `onset`, and is not believed: counted where noise is why."""
    numbers = bed.numbers
    if numbers[r.SIGNED + r.S_NOISY] and enabled(bed, kind) and not (numbers[r.SPELL] >> kind) & 1:
        numbers[r.SPELL] |= 1 << kind
        numbers[r.HELD_BACK] += 1
        _note(bed, r.HELD, kind, index, onset, -1, False)


@inner
def end(bed: Bed, kind: int, over: int, index: int) -> None:
    """The condition ended at `over`, known at `index`."""
    if lasts(bed, kind):
        episode = bed.numbers[r.AT_EPISODES + r.EPISODE * kind :]
        episode[r.OVER] = max(over, episode[r.BEGAN])
        _note(bed, r.END, kind, index, episode[r.BEGAN], episode[r.OVER], _hidden(bed, kind))
        if shown_until(bed, kind) <= index:
            clear(bed, kind, index)
