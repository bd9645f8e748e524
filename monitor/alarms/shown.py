"""What looks at leads show, whatever was before them: bits of one number, and what the rest is told from."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import compiled, quality
from ecg.signal.compiled import Kernels, Terms
from ecg.signal.look_bits import CLEAR, FAITHFUL, UNSTEADY, WAVE
from monitor.alarms import disorder, strokes
from monitor.alarms.looks import HOP, Look

TERMS: Final = Terms(
    rise=quality.RISE,
    smooth=quality.SMOOTH,
    edge=quality.EDGE,
    far=quality.FAR,
    clipped=quality.CLIPPED,
    wander_mv=quality.WANDER_MV,
    baseline=disorder.BASELINE,
    away=disorder.AWAY,
    least_away=disorder.LEAST_AWAY,
    most_peaked=disorder.MOST_PEAKED,
    no_slope=disorder.NO_SLOPE,
    most_still=disorder.MOST_STILL,
    lowest_hertz=disorder.HERTZ[0],
    highest_hertz=disorder.HERTZ[1],
    least_wave=disorder.LEAST_MV,
    unsteady=disorder.UNSTEADY_MV,
    clear_peaked=disorder.CLEAR_PEAKED,
    hop=HOP,
    tail=strokes.TAIL,
    apart=strokes.APART,
    before=strokes.BEFORE,
    least_lift=quality.LEAST_MV,
)
AT_ONCE: Final = 256
"""Looks measured at once: more would not stay in the processor's cache."""


def measured(look: Look) -> tuple[NDArray[np.int64], quality.Measures, strokes.Places]:
    """What looks at four seconds show: the first four bits, what their quality is told from, and steep places."""
    if fast := compiled.kernels():
        return _compiled(fast, look)
    bits, measures, steep = [], [], []
    for begin in range(0, len(look), AT_ONCE):
        some = look.take(np.arange(begin, min(begin + AT_ONCE, len(look)))) if len(look) > AT_ONCE else look
        lift = quality.lifts(some.means)
        waves = disorder.describe(some.means, some.rate)
        bits.append(WAVE * waves.wave | FAITHFUL * waves.faithful | CLEAR * waves.clear | UNSTEADY * waves.unsteady)
        measures.append(quality.measure(some.means, some.spreads, lift, HOP))
        found = strokes.places(some, lift)
        steep.append(found._replace(look=found.look + begin))
    if len(bits) == 1:
        return bits[0], measures[0], steep[0]
    return (
        np.concatenate(bits),
        quality.Measures(*(np.concatenate(values) for values in zip(*measures, strict=True))),
        strokes.Places(*(np.concatenate(values) for values in zip(*steep, strict=True))),
    )


def _compiled(fast: Kernels, look: Look) -> tuple[NDArray[np.int64], quality.Measures, strokes.Places]:
    """`measured`, of which only what follows a wave is left to NumPy: hardly any look shows one."""
    flags, measures, lift, found = fast.show(look.means, look.spreads, look.rate, look.blocks, TERMS)
    bits = np.asarray(CLEAR * flags[:, 1] | UNSTEADY * flags[:, 2], np.int64)
    may = np.flatnonzero(flags[:, 0])
    if len(may):
        waves = disorder.describe(look.means[may], look.rate[may])
        bits[may] = WAVE * waves.wave | FAITHFUL * waves.faithful | CLEAR * waves.clear | UNSTEADY * waves.unsteady
    rows, columns = np.nonzero(found)
    begin = look.means.shape[1] - strokes.TAIL - HOP
    shapes, size = fast.shapes(look.means, rows, begin + columns, strokes.BEFORE, strokes.AFTER)
    at = look.blocks[rows] - strokes.TAIL - HOP + columns
    steep = strokes.Places(rows, at, lift[rows, columns], size, shapes)
    highest, newest, reach, rough = measures.T
    return bits, quality.Measures(highest, newest, reach, rough, flags[:, 3]), steep
