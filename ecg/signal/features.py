"""The features of a beat, by name, and the step that computes them for the new beats of all beds at once.

TABLE is the one list of them: its order is the order of the columns, and its names are in the card of every set of
weights. Each name is computed by the module of its wave (intervals, usual, p_waves). A feature is added by a line here
and a value under the same name there. Running values belong to the bed's memory. Everything is causal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import compiled, intervals, p_waves, regularity, usual, windows
from ecg.signal.resampler import MODEL_RATE
from ecg.signal.slots import Floats, Index, State, rounds
from ecg.signal.windows import CHANNELS, P_WAVE, WINDOW, WINDOW_BEFORE

TABLE: Final[dict[str, str]] = {
    "rr_to_mean_of_8": "log RR interval, relative to the mean of the last 8; times 4",
    "rr_to_slow_mean": "log RR interval, relative to the slow mean; times 4",
    "rr_to_last": "log RR interval, relative to the one before; times 4",
    "last_rr_to_mean_of_8": "the log RR interval before, relative to the mean of the last 8; times 4",
    "irregularity": "median change between the last 16 log RR intervals; times 10",
    "qrs_likeness": "correlation of the QRS complex with the usual one",
    "p_likeness": "correlation of the P wave with the usual one",
    "t_likeness": "correlation of the T wave with the usual one",
    "size": "log QRS size, relative to the running size",
    "area": "log area under the beat, relative to the running area",
    "shape_fit": "correlation with the best shape, less the cost of its size",
    "shape_share": "share of recent beats with the shape of this beat",
    "shape_is_usual": "1 if its shape is the usual one",
    "shape_likeness": "correlation of its shape with the usual one",
    "shape_earliness": "mean log RR before beats of its shape, relative; times 4",
    "shape_pause": "mean log RR after beats of its shape, relative; times 4",
    "long_irregularity": "mean change between log RR intervals over 64 beats; times 10",
    "p_likeness_change": "p_likeness, relative to its running mean; times 3",
    "p_likeness_to_late": "correlation of the P wave with the wave of late beats",
    "p_likeness_to_late_mean": "running mean of p_likeness_to_late",
    "p_coherence": "share of the P waves' power that is common to them",
    "p_surprise": "log power of the P wave's difference from the usual one, in units of their noise",
    "p_size": "size of the usual P wave in sizes of the usual QRS complex; times 5",
    "late_p_apart": "log power of the difference between late and usual P waves, in units of chance",
    "p_nearer_late": "how much nearer the P wave is to the late one than to the usual one, in units of noise",
    "newness": "1 at a bed's first beat, falling to 0 as it is known",
    "rr_to_usual": "log RR interval, relative to the usual one of beats in time; times 4",
    "last_rr_to_usual": "the log RR interval before, relative to the usual one; times 4",
    "early_share": "share of early beats among the last 50; times 5",
    "quarter_change": "the change of RR below which a quarter of the last 32 lie; times 20",
    "least_median_change": "median change of RR to the interval 1, 2, 3 or 4 before, the least of the four; times 10",
    "least_quarter_change": "the same for a quarter of the changes: small unless the atria fibrillate; times 10",
    "rr_to_gradual": "log RR interval, relative to the gradual one, which follows no jumps; times 4",
    "usual_to_gradual": "the usual log RR interval, relative to the gradual one; times 4",
    **{p_waves.KEPT + name: f"{name}, where the T wave before a beat in time has ended" for name in p_waves.FREE},
}
"""Meaning of each feature, in order of its column."""
FEATURES: Final = tuple(TABLE)


def columns(names: Iterable[str]) -> list[int]:
    """Columns of features by name. Raises ValueError for a name that is not in the table."""
    names = list(names)
    unknown = [name for name in names if name not in TABLE]
    if unknown:
        raise ValueError(f"there is no feature {', '.join(unknown)}; there are {', '.join(FEATURES)}")
    return [FEATURES.index(name) for name in names]


def vector(values: Mapping[str, NDArray[Any]], names: Iterable[str] = FEATURES) -> NDArray[np.float32]:
    """Values [m] by name as one array, a column a name: float32 [m, names]."""
    return np.stack([values[name] for name in names], axis=1).astype(np.float32)


def new_state(slots: int) -> State:
    """Running values of beds without a beat."""
    return {
        "beats": np.zeros(slots),
        **intervals.new_state(slots),
        **regularity.new_state(slots),
        **usual.new_state(slots),
        **p_waves.new_state(slots, P_WAVE.stop - P_WAVE.start),
        **{p_waves.KEPT + name: rows for name, rows in p_waves.new_state(slots, P_WAVE.stop - P_WAVE.start).items()},
    }


def describe(
    state: State, slots: Index, at: Floats, cuts: Floats
) -> tuple[NDArray[np.float32], NDArray[np.float32], Floats, Floats]:
    """Network inputs of new beats. Updates the state of their slots.

    slots: [m], sorted, each slot's beats in order. at: [m], fractional position, samples at the model's rate.
    cuts: [m, WINDOW], mV. Returns windows [m, CHANNELS, WINDOW], features [m, len(FEATURES)], rr [m] and mean rr
    over up to 8 beats [m], both in samples at the model's rate, NaN for a bed's first beat.
    """
    if fast := compiled.kernels():
        return fast.describe(state, slots, at, cuts, len(FEATURES))
    total = len(slots)
    inputs = np.zeros((total, CHANNELS, WINDOW), np.float32)
    features = np.zeros((total, len(FEATURES)), np.float32)
    rr, mean_rr = np.full(total, np.nan), np.full(total, np.nan)
    level = cuts - np.median(cuts, axis=1, keepdims=True)
    for chosen in rounds(slots):
        rows, beat = slots[chosen], level[chosen]
        beats = state["beats"][rows]
        interval = intervals.describe(state, rows, at[chosen], beats)
        free_from = p_waves.covered(state["usual_rr"][rows], WINDOW_BEFORE - P_WAVE.start, MODEL_RATE)
        free_from = np.where(beats > 1, free_from, 0)
        regular = regularity.describe(state, rows, interval.log_rr, beats)
        compared = usual.compare(state, rows, beat, beats, interval.to_slow)
        waves = _p_waves(state, rows, beat, compared, interval.log_rr, regular["rr_to_usual"] / 4, beats, free_from)
        inputs[chosen] = windows.relative(beat, compared.usual, compared.size, beats > 0)
        features[chosen] = vector({**interval.features, **regular, **compared.features, **waves})
        rr[chosen], mean_rr[chosen] = interval.rr, interval.mean_rr
        state["beats"][rows] = beats + 1
    return inputs, features, rr, mean_rr


def _p_waves(
    state: State,
    rows: Index,
    beat: Floats,
    compared: usual.Comparison,
    log_rr: Floats,
    to_usual: Floats,
    beats: Floats,
    free_from: Index,
) -> dict[str, Floats]:
    """Features of the whole P waves, and of their free parts."""
    free, count = p_waves.free_state(state), len(rows)
    whole = {name: state[name] for name in free}
    both = {name: np.concatenate((whole[name][rows], free[name][rows])) for name in free}
    found = p_waves.describe(
        both,
        np.arange(2 * count),
        _twice(beat[:, P_WAVE]),
        _twice(compared.usual[:, P_WAVE]),
        _twice(compared.size),
        _twice(compared.is_usual),
        _twice(compared.p_likeness),
        log_rr=_twice(log_rr),
        to_usual=_twice(to_usual),
        beats=_twice(beats),
        begin=np.concatenate((np.full(count, p_waves.WHOLE), np.maximum(free_from, 0))),
    )
    for name, values in both.items():
        whole[name][rows], free[name][rows] = values[:count], values[count:]
    return {name: value[:count] for name, value in found.items()} | {
        p_waves.KEPT + name: found[name][count:] for name in p_waves.FREE
    }


def _twice(values: NDArray[Any]) -> NDArray[Any]:
    """The same beats once more behind them."""
    return np.concatenate((values, values))
