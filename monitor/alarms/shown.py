"""What looks at leads show, whatever was before them: bits of one number, and what the rest is told from."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import quality
from monitor.alarms import disorder, strokes
from monitor.alarms.looks import HOP, Look

FLAGS: Final = 7
WAVE, FAITHFUL, CLEAR, UNSTEADY, BAD, LOUD, LOW = (1 << place for place in range(FLAGS))
"""What a look at one lead shows, as bits of one number; above them stands why it is bad (`quality.Fault`)."""
ABSENT: Final = BAD
"""A lead that is not there bears no witness."""
AT_ONCE: Final = 256
"""Looks measured at once: more would not stay in the processor's cache."""


def measured(look: Look) -> tuple[NDArray[np.int64], quality.Measures, strokes.Places]:
    """What looks at four seconds show: the first four bits, what their quality is told from, and steep places."""
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
