"""Limits and constants of the rules as numbers in rows, as the compiled rules take them: `ecg.signal.rule_numbers`."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import rule_numbers as r
from monitor.alarms import bed, irregular, patterns, runs, unreadable, witness
from monitor.alarms.kinds import GRAVER, KINDS, PRIORITY, TECHNICAL
from monitor.alarms.limits import Limits
from monitor.alarms.state import UNKNOWN

SLOW: Final = ("bradycardia", "extreme_bradycardia")
FAST: Final = ("tachycardia", "extreme_tachycardia")
assert all(getattr(r, kind.upper()) == number for number, kind in enumerate(KINDS))
assert len(KINDS) == r.KINDS


def bits(kinds: Collection[str]) -> int:
    """A bit for each of these kinds."""
    return sum(1 << number for number, kind in enumerate(KINDS) if kind in kinds)


_PASSING: Final = [kind for kind in KINDS if kind != "fibrillation" and kind not in TECHNICAL]
_WHOLE_TERMS: Final = {
    r.T_HIGH: bits([kind for kind in KINDS if PRIORITY[kind] == "high"]),
    r.T_PASSING: bits(_PASSING),
    r.T_KNOWN: witness.KNOWN,
    r.T_STRAYS: runs.STRAYS,
    r.T_FEW: runs.FEW,
    r.T_LAST: runs.LAST,
    r.T_EVERY: patterns.AF_EVERY,
    r.T_P_BEATS: irregular.P_BEATS,
    r.T_LAGS: irregular.LAGS,
    r.T_FEWEST: irregular.FEWEST,
    **{r.T_GRAVER + number: bits(GRAVER[kind]) for number, kind in enumerate(KINDS)},
}
_REAL_TERMS: Final = {
    r.T_UNKNOWN: UNKNOWN,
    r.T_SURE: bed.SURE,
    r.T_MORE: witness.MORE,
    r.T_FEWER: witness.FEWER,
    r.T_FOUNDED: witness.FOUNDED,
    r.T_SURELY_FOUNDED: witness.SURELY,
    r.T_SLOWER: witness.SLOWER,
    r.T_EVEN_SECOND: witness.EVEN,
    r.T_EVEN: runs.EVEN,
    r.T_EVEN_SHORT: runs.EVEN_SHORT,
    r.T_SURELY: runs.SURELY,
    r.T_POSSIBLY: runs.POSSIBLY,
    r.T_UNLIKE: runs.UNLIKE,
    r.T_UNLIKE_BESIDE: runs.UNLIKE_BESIDE,
    r.T_USUAL: runs.USUAL,
    r.T_RELEASE: irregular.RELEASE,
    r.T_P_WAVES: irregular.P_WAVES,
    r.T_SURE_P_WAVES: irregular.SURE_P_WAVES,
    r.T_SHARE: irregular.SHARE,
    r.T_DISORDERED: log(irregular.DISORDERED / irregular.ORDERED),
    r.T_ORDERED: log((1 - irregular.DISORDERED) / (1 - irregular.ORDERED)),
}


def row(limits: Limits) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Limits and constants as whole numbers [r.WHOLE] and real ones [r.REAL]."""
    slow = {kind: (count, span) for kind, count, span in limits.slow}
    slow_end = {kind: span for kind, _, span in limits.slow_end}
    fast = {kind: (count, span) for kind, count, span in limits.fast}
    whole = _WHOLE_TERMS | {
        r.L_ENABLED: bits(limits.enabled),
        r.L_PAUSE: limits.pause,
        r.L_ASYSTOLE: limits.asystole,
        r.L_UNSTEADY_PAUSE: ceil(bed.UNSTEADY_GRACE * limits.pause),
        r.L_UNSTEADY_ASYSTOLE: ceil(bed.UNSTEADY_GRACE * limits.asystole),
        r.L_UNFOUNDED_PAUSE: ceil(bed.UNFOUNDED_GRACE * limits.pause),
        r.L_UNFOUNDED_ASYSTOLE: ceil(bed.UNFOUNDED_GRACE * limits.asystole),
        r.L_MINUTE: limits.minute,
        r.L_MINIMUM: limits.minimum,
        r.L_UNREADABLE: limits.unreadable,
        r.L_READABLE: round(unreadable.READABLE_SECONDS * limits.rate),
        r.L_PULSE_WAIT: round(runs.PULSE_SECONDS * limits.rate),
        r.L_BEATS_KEPT: limits.beats_kept,
        r.L_VT_BEATS: limits.vt_beats,
        r.L_RHYTHM_BEATS: limits.rhythm_beats,
        r.L_RUN_BEATS: limits.run_beats,
        r.L_BIGEMINY: limits.cycles["bigeminy"],
        r.L_TRIGEMINY: limits.cycles["trigeminy"],
        r.L_FREQUENT: limits.frequent,
        r.L_AF_BEATS: limits.af_beats,
        **{r.L_SLOW_COUNT + number: slow[kind][0] for number, kind in enumerate(SLOW)},
        **{r.L_SLOW_SPAN + number: slow[kind][1] for number, kind in enumerate(SLOW)},
        **{r.L_FAST_COUNT + number: fast[kind][0] for number, kind in enumerate(FAST)},
        **{r.L_FAST_END + number: limits.fast_end[kind] for number, kind in enumerate(FAST)},
    }
    real = _REAL_TERMS | {
        r.R_RATE: limits.rate,
        r.R_VT_RR: limits.vt_rr,
        r.R_RHYTHM_RR: limits.rhythm_rr,
        r.R_QT: limits.qt,
        r.R_IRREGULARITY: limits.af_irregularity,
        r.R_GROWN: bed.GROWN_SECONDS * limits.rate,
        r.R_ESCAPE: bed.ESCAPE_SECONDS * limits.rate,
        r.R_LONGEST_RR: patterns.LONGEST_RR_SECONDS * limits.rate,
        r.R_BEFORE: runs.BEFORE_SECONDS * limits.rate,
        **{r.R_SLOW_END + number: slow_end[kind] for number, kind in enumerate(SLOW)},
        **{r.R_FAST + number: fast[kind][1] for number, kind in enumerate(FAST)},
    }
    return (
        np.array([whole[column] for column in range(r.WHOLE)], np.int64),
        np.array([real[column] for column in range(r.REAL)], np.float64),
    )
