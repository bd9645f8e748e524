"""What looks at the leads of beds mean, compiled: what `monitor.alarms.judging` does, bed by bed.

The constants of the rules are given by whoever calls: they stand with the rules.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ecg.signal import quality
from ecg.signal.compiled import Rules
from ecg.signal.kernels import strokes
from ecg.signal.kernels.strokes import Kept, Places
from ecg.signal.look_bits import ABSENT, BAD, CLEAR, FAITHFUL, FLAGS, LOUD, LOW, UNSTEADY, WAVE

MUSCLE, WANDER, JUMP, CLIPPED = (int(fault) for fault in quality.Fault)
FIRST_BITS = (1 << FLAGS) - 1


class Own(NamedTuple):
    """What is remembered of each bed, arrays [beds], under their names in `monitor.alarms.judging`."""

    hits: Any
    misses: Any
    wild: Any
    heard: Any
    quiet: Any
    ended: Any
    since: Any
    onset: Any
    held: Any
    run_since: Any
    steady: Any
    faults: Any
    faults_second: Any
    fibrillation: Any
    unsteady: Any
    tachycardia: Any
    still: Any
    alive: Any
    brisk: Any
    noisy: Any
    second: Any
    run: Any
    lead_off: Any


class Lines(NamedTuple):
    """What looks at leads remember of them, arrays [rows], and what is off."""

    usual: Any
    rate: Any
    begin: Any
    block: Any
    gone: Any


class Seen(NamedTuple):
    """Looks, sorted by row and time, each [n]: where and when, and what they show.

    bits: the first four. pulse, steady: 1/min, of the bed. coarse: steady in steps.
    """

    rows: Any
    index: Any
    blocks: Any
    rate: Any
    bits: Any
    highest: Any
    newest: Any
    reach: Any
    rough: Any
    clipped: Any
    pulse: Any
    steady: Any
    coarse: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _weighed(seen: Seen, at: int, lines: Lines, rules: Rules) -> int:
    """The bits of a look whose lead's quality is weighed now (`quality.weigh`)."""
    row = seen.rows[at]
    usual, highest, full = lines.usual[row], seen.highest[at], seen.blocks[at] >= rules.half
    known = usual if usual > 0 else highest
    scale = max(known, 1e-9)
    faults = CLIPPED if seen.clipped[at] else 0
    if seen.rough[at] > quality.MUSCLE * max(scale, highest):
        faults |= MUSCLE
    if seen.reach[at] > quality.WANDER_MV and seen.reach[at] > quality.WANDER * max(highest, known):
        faults |= WANDER
    if highest > quality.JUMP * scale and highest > quality.JUMP * quality.LEAST_MV:
        faults |= JUMP
    if full:
        looks = max(seen.blocks[at] - rules.half, 0) / rules.hop
        down = 1 / (1 + looks) if looks < quality.FIRST else quality.DOWN
        step = (quality.UP if highest > known else down) * (min(highest, quality.MOST * known) - known)
        lines.usual[row] = known + step if usual > 0 else known
    if lines.gone[row]:
        return ABSENT
    if not full:
        return LOUD
    bits = seen.bits[at] | faults << FLAGS
    if faults:
        bits |= BAD
    if seen.newest[at] > max(quality.LOUD * known, quality.LEAST_MV):
        bits |= LOUD
    return int(bits | LOW if highest < 0.5 * known else bits)


@njit(cache=True, nogil=True, error_model="numpy")
def _hushed(one: int, two: int, why: int, why_second: int) -> bool:
    """Is muscle or mains all that is wrong with a lead, and too small to hide a QRS complex in any such lead?."""
    fine, other = why == MUSCLE, why_second == MUSCLE
    return (fine or other) and not (fine and one & LOUD > 0) and not (other and two & LOUD > 0)


@njit(cache=True, nogil=True, error_model="numpy")
def _waves(
    own: Own, bed: int, one: int, two: int, pulse: float, steady: float, rules: Rules
) -> tuple[bool, bool, bool, int]:
    """What the leads show together: no lead can be analysed; a wave; what of it goes on before and after this look."""
    first, second = 0 if one & BAD else one, 0 if two & BAD else two
    heard, noisy = first | second, one & two & BAD > 0
    wave = heard & WAVE > 0 and heard & CLEAR == 0
    shared = (first & WAVE > 0 or one == ABSENT) and (second & WAVE > 0 or two & BAD > 0)
    faithful = wave and first & (WAVE | FAITHFUL) != WAVE and second & (WAVE | FAITHFUL) != WAVE
    wave = wave and (shared or not faithful)
    if wave:
        wave = (steady == 0 or steady * rules.slower > 60 * rules.slowest) if faithful else pulse <= 0
    own.hits[bed] = own.hits[bed] + 1 if wave else 0
    own.misses[bed] = 0 if wave else own.misses[bed] + 1
    own.wild[bed] = own.wild[bed] + 1 if wave and not faithful else 0
    now = own.heard[bed]
    if now > 0:
        now = now if own.misses[bed] < rules.misses else 0
    elif own.hits[bed] >= rules.looks_on:
        now = 2 if faithful else 1
    if now == 2 and own.wild[bed] >= rules.irregular:
        now = 1
    return noisy, wave, heard & LOUD == 0, now


@njit(cache=True, nogil=True, error_model="numpy")
def _runs(own: Own, kept: Kept, lines: Lines, seen: Seen, at: int, absent: tuple[bool, bool], rules: Rules) -> None:
    """Does a lead show a ventricular tachycardia by its beats, and since when?."""
    row, rate, steady = seen.rows[at], seen.rate[at], seen.steady[at]
    bed, longest, oldest = row // 2, rules.run_rr * rate, seen.blocks[at] - rules.recent
    shortest = 60 * rate / (rules.slower * max(steady, 1.0)) if steady > 0 else 0.0
    held, earliest = own.held[bed], -1
    own.held[bed] = max(held - 1, 0)
    for lead in range(2):
        if absent[lead] or not strokes.may_run(kept, row + lead, oldest, longest, rules):
            continue
        other = -1 if absent[1 - lead] else row + 1 - lead
        since = strokes.run(kept, row + lead, other, shortest, longest, held > 0, rules)
        if since >= 0 and (earliest < 0 or since < earliest):
            earliest = since
    if earliest >= 0:
        if held <= 0:
            own.run_since[bed] = lines.begin[row] + earliest * lines.block[row]
        own.held[bed] = rules.held


@njit(cache=True, nogil=True, error_model="numpy")
def _set(values: Any, bed: int, value: Any) -> bool:
    """Remember a value; is it another than before?."""
    changed = values[bed] != value
    values[bed] = value
    return bool(changed)


@njit(cache=True, nogil=True, error_model="numpy")
def _together(own: Own, kept: Kept, lines: Lines, seen: Seen, at: int, one: int, two: int, rules: Rules) -> bool:
    """What the witnesses of one look say together; is any of it news?."""
    row, index = seen.rows[at], seen.index[at]
    bed, why, why_second = row // 2, one >> FLAGS, two >> FLAGS
    one, two = one & FIRST_BITS, two & FIRST_BITS
    was = own.heard[bed]
    noisy, wave, calm, now = _waves(own, bed, one, two, seen.pulse[at], seen.steady[at], rules)
    own.heard[bed] = now
    quiet = _hushed(one, two, why, why_second) if noisy else calm
    own.quiet[bed] = own.quiet[bed] + 1 if quiet else 0
    moving = one & UNSTEADY > 0 and two & (UNSTEADY | BAD) > 0
    _runs(own, kept, lines, seen, at, (one & BAD > 0, two & BAD > 0), rules)
    if now > 0 and was == 0:
        early = index - np.int64(np.rint(rules.known_after * lines.rate[row]))
        own.onset[bed] = max(early, own.ended[bed])
    if now == 0 and was > 0:
        own.ended[bed] = index
    if own.quiet[bed] == rules.quiet_looks:
        own.since[bed] = index - rules.quiet_looks * rules.hop * lines.block[row]
    changed = _set(own.fibrillation, bed, now == 1)
    changed |= _set(own.unsteady, bed, moving or wave)
    changed |= _set(own.tachycardia, bed, now == 2)
    changed |= _set(own.still, bed, own.quiet[bed] >= rules.quiet_looks)
    changed |= _set(own.alive, bed, seen.pulse[at] > 0)
    changed |= _set(own.brisk, bed, seen.pulse[at] > rules.brisk)
    changed |= _set(own.noisy, bed, noisy)
    changed |= _set(own.second, bed, two & BAD == 0)
    changed |= _set(own.run, bed, own.held[bed] > 0)
    changed |= _set(own.faults, bed, why)
    changed |= _set(own.faults_second, bed, why_second)
    changed |= _set(own.steady, bed, seen.coarse[at])
    return changed


@njit(cache=True, nogil=True, error_model="numpy")
def _told(own: Own, bed: int, out: Any) -> None:
    """What is true of a bed, in the order of `monitor.alarms.state.Sign` behind its index."""
    out[0], out[1], out[2] = own.fibrillation[bed], own.unsteady[bed], own.lead_off[bed]
    out[3] = own.onset[bed] if own.fibrillation[bed] or own.tachycardia[bed] else -1
    out[4] = own.tachycardia[bed]
    out[5] = own.since[bed] if own.still[bed] else -1
    out[6], out[7], out[8], out[9] = own.alive[bed], own.brisk[bed], own.noisy[bed], own.second[bed]
    out[10] = own.run_since[bed] if own.run[bed] else -1
    out[11], out[12], out[13] = own.faults[bed], own.faults_second[bed], own.steady[bed]


@njit(cache=True, nogil=True, error_model="numpy")
def judge(own: Own, lines: Lines, kept: Kept, seen: Seen, places: Places, rules: Rules, out: tuple[Any, ...]) -> int:
    """Looks at the leads of beds, each bed's in order of time. out: looks that bring news [n], what they tell [n, 14].

    Returns how many do.
    """
    news, told = out
    count, made, begin, place = len(seen.rows), 0, 0, 0
    edges = np.empty(count + 1, np.int64)
    for at in range(count + 1):
        while place < len(places.look) and places.look[place] < at:
            place += 1
        edges[at] = place
    while begin < count:
        bed = seen.rows[begin] // 2
        middle = begin
        while middle < count and seen.rows[middle] == 2 * bed:
            middle += 1
        end = middle
        while end < count and seen.rows[end] == 2 * bed + 1:
            end += 1
        for turn in range(max(middle - begin, end - middle)):
            first, second, one, two = begin + turn, middle + turn, ABSENT, ABSENT
            if first < middle:
                one = _weighed(seen, first, lines, rules)
                strokes.take(kept, 2 * bed, places, edges[first], edges[first + 1], rules)
            if second < end:
                bits = _weighed(seen, second, lines, rules)
                strokes.take(kept, 2 * bed + 1, places, edges[second], edges[second + 1], rules)
                if first < middle and seen.index[first] == seen.index[second]:
                    two = bits
            if first < middle and _together(own, kept, lines, seen, first, one, two, rules):
                news[made] = first
                _told(own, bed, told[made])
                made += 1
        begin = end
    return made
