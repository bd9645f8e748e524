"""The pulse of a record at other times: what a pressure or a plethysmogram shows of a made-up rhythm."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.donors import Floats

NEAR: Final = 24
"""Pulses of which one is made: those nearest in time."""
FILLED: Final = 0.8
"""s in which a ventricle fills: a beat that comes sooner throws less."""
RUN_OFF_SECONDS: Final = 1.5
"""Time constant of the fall while no beat comes."""
LEAST_PRESSURE: Final = 25.0
"""mmHg that a pressure falls to, without the heart."""
JOIN_SECONDS: Final = 0.1


def pulsed(
    own: Floats,
    rate: float,
    normal: NDArray[np.int64],
    beats: list[int],
    begin: int,
    end: int,
    stroke: float,
    *,
    pressure: bool,
) -> Floats:
    """The signal from sample `begin` to `end` with a pulse after each of these beats, in its own unit.

    own: whole signal. normal: R-peaks of its own normal beats, beats: of the new ones, samples. stroke: share of a
    normal beat's. pressure: in mmHg; else without a unit.
    """
    wave, delay = _pulse(own, normal, begin)
    last = float(own[max(begin - 1, 0)])
    low = float(np.min(wave)) if len(wave) else last
    rest = min(LEAST_PRESSURE, low) if pressure else low
    drawn = np.empty(end - begin)
    edges = [begin, *(beat + delay for beat in beats if beat + delay < end), end]
    for number, (first, until) in enumerate(pairwise(edges)):
        count = until - first
        if count <= 0:
            continue
        time = np.arange(count) / rate
        part = rest + (last - rest) * np.exp(-time / RUN_OFF_SECONDS)
        if number and len(wave):
            filling = min((first - edges[number - 1]) / rate / FILLED, 1.2) if number > 1 else 1.0
            whole = wave[:count]
            part[: len(whole)] = low + stroke * filling * (whole - low)
            tail = part[len(whole) - 1]
            left = time[len(whole) :] - time[len(whole) - 1]
            part[len(whole) :] = rest + (tail - rest) * np.exp(-left / RUN_OFF_SECONDS)
            part += (last - part[0]) * np.exp(-time / JOIN_SECONDS)
        drawn[first - begin : until - begin] = part
        last = float(part[-1])
    return drawn


def _pulse(own: Floats, normal: NDArray[np.int64], begin: int) -> tuple[Floats, int]:
    """One pulse from its foot on, over one usual RR interval, and the foot's delay behind the R-peak, in samples.

    The median of those nearest to `begin`; empty where there are none.
    """
    nothing = np.zeros(0), 0
    if len(normal) < 2:
        return nothing
    count = round(float(np.median(np.diff(normal))))
    whole = normal[normal + 2 * count <= len(own)]
    chosen = whole[np.argsort(np.abs(whole - begin), kind="stable")[:NEAR]]
    if not len(chosen) or count < 2:
        return nothing
    near = own[chosen[:, None] + np.arange(2 * count)]
    kept = near[~np.isnan(near).any(axis=1)]
    if not len(kept):
        return nothing
    pulses = np.median(kept, axis=0)
    foot = int(pulses[:count].argmin())
    return np.asarray(pulses[foot : foot + count]), foot
