"""Spikes of pacemakers: found by their shape, and cut out of the signal that the filters see.

A pacing pulse lasts 0.1 to 2 ms and reaches 2 to 700 mV (IEC 60601-2-27, AAMI EC13). What a monitor's filters leave of
it is far narrower than a QRS complex, comes back to where it was, and is larger than anything that quick before it. It
is no beat, whether the heart answers or not: where the heart stops and the pacemaker goes on, spikes taken for beats
would hide that.

A sample is a spike's top if it is as sharp as the top of a bell of 12 ms at half height or sharper, the largest such
sample near, with both sides at one level, and if it stands out of the 40 ms and of the quarter second before it. One
alone may be noise: it is believed once two of the last few are like it, for a pacemaker's are alike. Then a straight
line takes the place of 24 ms to either side. A spike is known 24 ms after its top, when the filters have heard it; they
are linear, so what it has added to their newest outputs is taken off again (`lift`).

A step of the signal path ends where a spike is known (`cut_short`), so chunks of any length give the same numbers.
Inputs are float32, and so is every comparison. State is a dict of arrays whose first axis is the slot.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.signal import recent
from ecg.signal.detector import AVERAGE, BAND, UNSETTLED
from ecg.signal.recursive import HIGH_PASS, LOW_PASS, lfilter
from ecg.signal.resampler import kernel, resample
from ecg.signal.slots import Floats, Index, State, alike_rows

Samples = NDArray[np.float32]

LOWEST_RATE: Final = 200.0
"""Hz. With fewer samples a spike is no narrower than a QRS complex."""
TIP, SIDE, BEFORE, BUSY, LATELY = 0.004, 0.012, 0.040, 0.250, 10.0
"""Seconds: to the samples beside a top, to its sides, of the signal before it that it stands out of, of the signal
before it that must not be as quick, and in which spikes are like one another.
"""
WIDEST: Final = 0.012
"""Width at half height, s, of the bell that is just sharp enough."""
LEAST_MV: Final = np.float32(0.3)
HALF: Final = np.float32(0.5)
QUICK: Final = np.float32(0.2)


class Clear(NamedTuple):
    """How clear a spike must be.

    level: its sides differ by less than this share of its size. before: the signal before it goes up and down by less
    than this share (sharp filters ring, by half of it). quick: less than this share of the samples before it is a fifth
    as sharp as its top (in muscle noise more is).
    """

    level: np.float32
    before: np.float32
    quick: float


CLEAR: Final = Clear(np.float32(0.4), np.float32(0.65), 0.25)
"""A spike that is remembered, and that others are told by."""
ALIKE_CLEAR: Final = Clear(np.float32(0.75), np.float32(0.8), 0.45)
"""One that is known by those that are remembered: noise beside it, or a QRS complex right after it."""
LIKE: Final = np.float32(0.8)
"""The smaller of two spikes that are alike is more than this share of the larger."""
KEPT: Final = 6
ALIKE: Final = 2
"""A spike is believed if two of the six before it are like it."""
SOONEST, LATEST, SHORTEST = -0.02, 0.15, 0.4
"""From a spike to the R-peak of its answer, and the shortest interval before an answer, s."""
TOLERANCE, SLOWEST = 0.05, 1.6
"""Of the time of a spike that a QRS complex hides, and the longest interval by which such a one is expected, s."""
NEVER: Final = -(1 << 40)
FAR: Final = 1e9


class Reach(NamedTuple):
    """The parts of a spike at one rate, samples, as TIP to LATELY.

    half: what is cut to either side. sharp: least sharpness of a top, as a share of its size.
    """

    tip: int
    side: int
    before: int
    half: int
    busy: int
    lately: int
    sharp: np.float32


class Spike(NamedTuple):
    """top: sample at the own rate. size: mV, signed. clear: by itself."""

    top: int
    size: np.float32
    clear: bool


NONE: Final = Reach(0, 0, 0, 0, 0, 0, np.float32(0))


@lru_cache(maxsize=64)
def reach(rate: float) -> Reach:
    """What a spike looks like at a rate in Hz; `NONE` where nothing can be told."""
    if rate < LOWEST_RATE:
        return NONE
    tip, side = max(round(TIP * rate), 1), round(SIDE * rate)
    high, low = (1 - 0.5 ** ((2 * apart / rate / WIDEST) ** 2) for apart in (tip, side))
    before, busy, lately = (round(seconds * rate) for seconds in (BEFORE, BUSY, LATELY))
    return Reach(tip, side, before, 2 * side, busy, lately, np.float32(high / low))


def room(rate: float) -> int:
    """Inputs that are kept of a lead at this rate, that spikes be found in them."""
    own = reach(rate)
    return own.busy + own.tip + own.half + 1


def new_state(slots: int) -> State:
    """Leads without spikes. spike_at, spike_size: tops (own rate) and sizes (mV, signed) of the last ones, believed or
    not, the newest first. spikes: how many were cut out.
    """
    return {
        "spike_at": np.full((slots, KEPT), NEVER, np.int64),
        "spike_size": np.zeros((slots, KEPT), np.float32),
        "spikes": np.zeros(slots, np.int64),
    }


def cut_short(state: State, slots: Index, follows: Index, chunks: list[Samples]) -> tuple[Index, Index]:
    """How many samples of each chunk the next step takes, and the top of the spike that is known then, or -1: [k], [k].

    slots, follows, chunks: [k], as in SignalPath.step_leads; leads of one bed take the same number. Updates what is
    remembered of spikes.
    """
    taken, tops = np.array([len(chunk) for chunk in chunks], np.int64), np.full(len(slots), -1, np.int64)
    seen, rates, found = state["seen"][slots], state["rate"][slots], {}
    for rows in alike_rows(np.stack((rates, taken), axis=1)):
        own = reach(float(rates[rows[0]]))
        if own.side and taken[rows[0]]:
            some = _candidates(state, slots[rows], np.stack([chunks[row] for row in rows]), own)
            found.update({int(row): (tops_of, own) for row, tops_of in zip(rows, some, strict=True) if tops_of})
    for row, (tops_of, own) in found.items():
        _, top = _weighed(state, int(slots[row]), tops_of, own, int(seen[row]) + len(chunks[row]))
        if top >= 0:
            bed = follows == follows[row]
            taken[bed] = np.minimum(taken[bed], top + own.half + 1 - seen[row])
    for row, (tops_of, own) in found.items():
        lately, tops[row] = _weighed(state, int(slots[row]), tops_of, own, int(seen[row] + taken[row]))
        state["spike_at"][slots[row]] = [one.top for one in lately]
        state["spike_size"][slots[row]] = [one.size for one in lately]
    return taken, tops


def lift(state: State, slots: Index) -> None:
    """Take the spikes that are known with the last sample heard out of what these slots [k] have heard and filtered."""
    for slot in slots.tolist():
        own, kern = reach(float(state["rate"][slot])), kernel(float(state["rate"][slot]))
        heard = state["inputs"][slot].copy()
        clean = _straightened(heard, own)
        begin, first = state["seen"][[slot]] - len(heard), state["made"][[slot]] - UNSETTLED
        made, better = (resample(kern, one[None], begin, first, UNSETTLED) for one in (heard, clean))
        state["inputs"][slot] = clean
        state["spikes"][slot] += 1
        state["paced_at"][slot, 1:] = state["paced_at"][slot, :-1]
        state["paced_at"][slot, 0] = state["seen"][slot] - 1 - own.half
        state["paced_mv"][slot] = abs(heard[-1 - own.half] - clean[-1 - own.half])
        _taken_off(state, slot, made.astype(np.float64) - better.astype(np.float64))


def answers(state: State, slots: Index, peaks: Index) -> NDArray[np.bool_]:
    """Which R-peaks of these slots, samples at the own rate, may be the heart's answer to a spike: [m].

    A beat that comes when the next spike is due is one too: the heart was faster by a moment, and its QRS complex,
    of both at once (fusion), hides the spike.
    """
    after = (peaks[:, None] - state["paced_at"][slots]) / state["rate"][slots, None]
    found: NDArray[np.bool_] = np.any((after > SOONEST) & (after < LATEST), axis=1)
    if (after < 2 * SLOWEST).any():
        last = np.sort(np.where(after > SOONEST, after, FAR), axis=1)
        gap = last[:, 1] - last[:, 0]
        late = last[:, 0] - gap
        due = (gap > SHORTEST) & (gap < SLOWEST) & (late > SOONEST - TOLERANCE) & (late < LATEST + TOLERANCE)
        found = found | due
    return found


def paced(answered: NDArray[np.bool_], rr: Floats) -> NDArray[np.bool_]:
    """Which of them are: [m]. rr: s, to the beat before, NaN for the first.

    A tachycardia that is faster than pacemakers is none: spikes may fall into one that a pacemaker does not see.
    """
    slow: NDArray[np.bool_] = ~(rr < SHORTEST)
    return answered & slow


def _straightened(heard: Samples, own: Reach) -> Samples:
    """Samples [n] with a straight line in the place of the spike that is known with the last of them.

    It joins the means of what is farther than the spike's sides, for filters ring.
    """
    low, edge = len(heard) - 1 - 2 * own.half, own.half - own.side
    left = right = np.float32(0)
    for place in range(edge):  # one after the other, as compiled code does
        left, right = left + heard[low + place], right + heard[len(heard) - edge + place]
    left, right = left / np.float32(edge), right / np.float32(edge)
    clean = heard.copy()
    clean[low:] = left + (right - left) * (np.arange(2 * own.half + 1, dtype=np.float32) / np.float32(2 * own.half))
    return clean


def _taken_off(state: State, slot: int, added: Floats) -> None:
    """Take what a spike has added to the newest samples [1, UNSETTLED] off all that was made of them."""
    low, low_after = lfilter(LOW_PASS, added, np.zeros((1, 2)))
    high, high_after = lfilter(HIGH_PASS, low, np.zeros((1, 1)))
    band, band_after = lfilter(BAND, added, np.zeros((1, 2)))
    for name, after in (("low_filter", low_after), ("high_filter", high_after), ("band_filter", band_after)):
        state[name][slot] -= after[0]
    end = int(state[recent.END][slot])
    newest = slice(end - UNSETTLED, end)
    state["model"][slot, newest] -= high[0]
    state["band_signal"][slot, newest] -= band[0]
    state["band_last"][slot] = state["band_signal"][slot, end - 1]
    slopes = np.abs(np.diff(state["band_signal"][slot, end - UNSETTLED - AVERAGE : end]))
    state["slopes"][slot] = slopes[UNSETTLED:]
    envelope = slopes[:UNSETTLED].copy()
    for place in range(1, AVERAGE):
        envelope += slopes[place : place + UNSETTLED]
    state["envelope"][slot, newest] = envelope / AVERAGE


def _candidates(state: State, slots: Index, signal: Samples, own: Reach) -> list[list[Spike]]:
    """Tops and sizes of what looks like a spike and is known with one of these new samples [rows, n], of each row."""
    origin, heard = state["origin"][slots], state["inputs"][slots]
    origin = np.where(np.isnan(origin), signal[:, 0], origin).astype(np.float32)
    line = np.concatenate((heard, signal - origin[:, None]), axis=1)
    kept, total = heard.shape[1], line.shape[1]
    here = np.arange(kept - own.half, total - own.half)
    size, tip = (_above(line, here, far) for far in (own.side, own.tip))
    tall, level = np.abs(size), np.abs(line[:, here + own.side] - line[:, here - own.side])
    sharp = np.where(size > 0, tip, -tip) > own.sharp * tall
    rows, columns = np.nonzero((tall > LEAST_MV) & sharp & (level < ALIKE_CLEAR.level * tall))
    found: list[list[Spike]] = [[] for _ in slots]
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        kern = kernel(float(state["rate"][slots[row]]))
        at, top = column + kept - own.half, int(state["seen"][slots[row]]) + column - own.half
        begin = int(state["begin"][slots[row]]) * kern.up // kern.down
        if top >= begin + own.busy and (clear := _clear(line[row], at, own)) is not None:
            found[row].append(Spike(top, size[row, column], clear))
    return found


def _clear(line: Samples, at: int, own: Reach) -> bool | None:
    """Whether the sample at `at`, sharp enough, is the top of a clear spike.

    False: of one that is as clear as those must be that are like others. None: of none.
    """
    near = np.abs(_above(line, np.arange(at - own.side, at + own.side + 1), own.side))
    tall, tip = near[own.side], np.abs(_above(line, np.array([at]), own.tip)[0])
    if not ((near[: own.side] < tall).all() and (near[own.side :] <= tall).all()):
        return None
    quick = np.abs(_above(line, np.arange(at - own.busy, at - own.side), own.tip))
    level, moved = np.abs(line[at + own.side] - line[at - own.side]), np.ptp(line[at - own.before : at - own.side + 1])
    as_quick = np.count_nonzero(quick > QUICK * tip)
    clear, alike = (
        level < least.level * tall and moved < least.before * tall and as_quick < least.quick * len(quick)
        for least in (CLEAR, ALIKE_CLEAR)
    )
    return bool(clear) if clear or alike else None


def _above(line: Samples, at: Index, far: int) -> Samples:
    """How far these samples of a line, or of each, stand above the mean of those `far` before and after them."""
    higher: Samples = line[..., at] - (line[..., at - far] + line[..., at + far]) * HALF
    return higher


def _weighed(state: State, slot: int, found: list[Spike], own: Reach, end: int) -> tuple[list[Spike], int]:
    """The last clear ones, the newest first, once sample `end` - 1 is heard, and the top of the believed one or -1."""
    at, sizes = state["spike_at"][slot].tolist(), state["spike_size"][slot]
    lately = [Spike(top, size, True) for top, size in zip(at, sizes, strict=True)]
    for one in found:
        if one.top + own.half >= end:
            break
        alike = sum(other.top > one.top - own.lately and _alike(one.size, other.size) for other in lately)
        if one.clear:
            lately = [one, *lately[: KEPT - 1]]
        if alike >= ALIKE:
            return lately, one.top
    return lately, -1


def _alike(one: np.float32, other: np.float32) -> bool:
    """Whether two spikes have one direction, and almost one size."""
    return bool(one * other > 0 and min(abs(one), abs(other)) > LIKE * max(abs(one), abs(other)))
