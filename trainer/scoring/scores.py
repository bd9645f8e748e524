"""Scores of beats named by the network: per class, macro, with intervals over records.

A missed or misnamed reference beat counts against the sensitivity of its class. A beat named without a reference beat
of the class within 150 ms counts against the positive predictivity, whatever it was instead; the scores under `ec57`
alone forgive as EC57 does. Ventricular flutter is left out (ANSI/AAMI EC57:2012).
"""

from __future__ import annotations

from math import isnan, nan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.records.aami import CLASSES
from ecg.records.ec57 import confusion, match, match_window
from trainer.data.cutting import CutRecord

Table = NDArray[np.int64]
"""int64 [6, 6]: reference class (row) by named class (column); the last row: false beats, last column: missed."""

SCORED: Final = ("N", "S", "V", "F")
RESAMPLES: Final = 2000
LARGEST_S: Final = "232"
"""The record with three quarters of the S beats of DS2."""


def tally(cut: CutRecord, named: NDArray[np.int64]) -> Table:
    """The confusion table of one record. named: int64 [n], the class number of each of its beats."""
    reference = cut.reference
    if cut.source == "reference" and len(cut) == len(reference.index):
        same = np.arange(len(cut))
        return confusion(reference.classes, named, same, same)
    counts = reference.outside_flutter(reference.index)
    heard = reference.outside_flutter(cut.index)
    matches = match(reference.index[counts], cut.index[heard], match_window(reference.rate))
    return confusion(reference.classes[counts], named[heard], *matches)


def rates(tables: NDArray[np.int64] | NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Scores of many tables at once: float64 [k, 6, 6] -> name: float64 [k], NaN for an empty count."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scores: dict[str, NDArray[np.float64]] = {}
        for i, name in enumerate(CLASSES):
            hit, known, named = tables[:, i, i], tables[:, i].sum(axis=-1), tables[:, :, i].sum(axis=-1)
            scores[f"{name}.se"] = hit / known
            scores[f"{name}.ppv"] = hit / named
            scores[f"{name}.f1"] = 2 * hit / (known + named)
        right = np.trace(tables[:, :5, :5], axis1=1, axis2=2)
        scores["accuracy"] = right / tables[:, :5].sum(axis=(1, 2))
        for key, classes in (("macro_f1_nsv", "NSV"), ("macro_f1_nsvf", "NSVF")):
            each = np.stack([scores[f"{name}.f1"] for name in classes])
            known_of = ~np.isnan(each)
            scores[key] = np.where(known_of, each, 0).sum(axis=0) / known_of.sum(axis=0)
    return scores


def score(table: Table) -> dict[str, float]:
    """Scores of one table by name ("S.se", "macro_f1_nsv", ...), NaN for an empty count."""
    return {name: float(value[0]) for name, value in rates(table[None]).items()}


def misnamed(table: Table) -> float:
    """Share of a record's found N beats that are named otherwise; NaN if it has none."""
    found = int(table[0, :5].sum())
    return 1 - int(table[0, 0]) / found if found else nan


def worst(tables: dict[str, Table], count: int = 5) -> list[tuple[str, float]]:
    """The records with the largest share of N misnamed, largest first."""
    shares = {name: share for name, table in tables.items() if not isnan(share := misnamed(table))}
    return sorted(shares.items(), key=lambda pair: -pair[1])[:count]


def intervals(tables: list[Table]) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals over records (percentiles of 2,000 resamples of whole records)."""
    rng = np.random.default_rng(0)
    count = len(tables)
    weights = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    drawn = np.tensordot(weights, np.stack(tables), axes=1)
    found = {}
    for name, values in rates(drawn).items():
        known = values[~np.isnan(values)]
        low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (nan, nan)
        found[name] = (float(low), float(high))
    return found


def summary(tables: dict[str, Table]) -> dict[str, Any]:
    """All scores of a set of records as a tree for JSON; values 0 to 1, None if undefined."""
    total = sum(tables.values(), np.zeros((6, 6), np.int64))
    tree = nested(score(total))
    rest = [table for name, table in tables.items() if name != LARGEST_S]
    if rest:
        without = score(sum(rest, np.zeros((6, 6), np.int64)))
        tree["S_without_232"] = nested(without)["S"]
    tree["ec57"] = forgiving(total)
    tree["most_N_misnamed"] = [{"record": name, "share": share} for name, share in worst(tables)]
    tree["records"] = {name: {**nested(score(t)), "beats": int(t[:5].sum())} for name, t in tables.items()}
    spread = intervals(list(tables.values()))
    if rest:
        spread |= {f"S_without_232.{k}": v for k, v in _s_only(intervals(rest)).items()}
    tree["intervals_95"] = {name: [_plain(low), _plain(high)] for name, (low, high) in spread.items()}
    tree["confusion"] = {"classes": [*CLASSES, "none"], "reference_by_named": total.tolist()}
    tree["beats"] = int(total[:5].sum())
    return tree


def forgiving(table: Table) -> dict[str, dict[str, float | None]]:
    """S and V as EC57 counts them: a Q named S, and an F or Q named V, is neither right nor wrong.

    That is how de Chazal (2004) and those after him count; the other scores here forgive nothing.
    """
    found = {}
    for name, forgiven in (("S", "Q"), ("V", "FQ")):
        counted = table.copy()
        counted[[CLASSES.index(other) for other in forgiven], CLASSES.index(name)] = 0
        found[name] = nested(score(counted))[name]
    return found


def nested(scores: dict[str, float]) -> dict[str, Any]:
    """Flat names with a dot as a tree; NaN as None."""
    tree: dict[str, Any] = {}
    for name, value in scores.items():
        first, _, second = name.partition(".")
        if second:
            tree.setdefault(first, {})[second] = _plain(value)
        else:
            tree[first] = _plain(value)
    return tree


def _s_only(found: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {name.removeprefix("S."): bounds for name, bounds in found.items() if name.startswith("S.")}


def _plain(value: float) -> float | None:
    return None if isnan(value) else value
