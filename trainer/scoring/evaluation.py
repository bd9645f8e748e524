"""Weights on annotated records: with reference R-peaks, and end to end with our own detector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from ecg.model.doubt import NONE, Doubt
from ecg.model.fusion import fused
from ecg.model.network import BeatNet
from ecg.records import aami, library
from trainer.data.cutting import TOGETHER, CutRecord, Source, cut, cut_both
from trainer.progress import bars
from trainer.scoring import calibration, scores
from trainer.scoring.naming import probabilities

WAYS: Final[dict[str, Source]] = {"reference_beats": "reference", "end_to_end": "detector"}
"""The two evaluations, by their key in JSON."""


@dataclass(frozen=True, slots=True)
class Named:
    """The beats of one record and their probabilities by the network: float32 [n, classes]."""

    cut: CutRecord
    probabilities: NDArray[np.float32]

    def believed(self, doubt: Doubt) -> Named:
        """The same beats with their probabilities as they are believed."""
        return Named(self.cut, doubt.weigh(self.probabilities, self.cut.seconds))

    @property
    def table(self) -> scores.Table:
        """The confusion table of the most probable classes."""
        return scores.tally(self.cut, self.probabilities.argmax(axis=1))


def name_records(
    net: BeatNet,
    names: list[str],
    console: Console,
    where: Path | None = None,
    lead: str = "MLII",
    leads: int = 1,
    doubt: Doubt = NONE,
) -> dict[str, dict[str, Named]]:
    """Cut and name the beats of annotated records both ways: by key of WAYS, then by record.

    where: a folder of WFDB records; default: the library. leads: 2 reads another lead beside `lead` end to end, where a
    record has one (ecg.model.fusion). doubt: of the card of the weights. Raises UserError for a record without
    annotated beats.
    """
    found: dict[str, dict[str, Named]] = {way: {} for way in WAYS}
    with bars(console) as shown:
        task = shown.add_task("reading", total=None)
        for begin in range(0, len(names), TOGETHER):
            block = names[begin : begin + TOGETHER]
            records = [library.read(name, where) for name in block]
            if begin == 0:
                total = sum(record.seconds for record in records) * len(names) / len(block) * len(WAYS)
                shown.update(task, description="evaluating", total=total)
            for way, source in WAYS.items():

                def show(seconds: float) -> None:
                    shown.advance(task, seconds)

                if source == "detector" and leads > 1:
                    named = both_leads(net, cut_both(records, lead=lead, progress=show))
                else:
                    cuts = cut(records, source, lead=lead, progress=show)
                    named = [Named(one, given) for one, given in zip(cuts, probabilities(net, cuts), strict=True)]
                found[way] |= {one.cut.name: one.believed(doubt) for one in named}
    return found


def both_leads(net: BeatNet, pairs: list[tuple[CutRecord, CutRecord | None]]) -> list[Named]:
    """Records named from two leads, or from the one there is. pairs: as trainer.data.cutting.cut_both gives them."""
    firsts = probabilities(net, [first for first, _ in pairs])
    seconds = iter(probabilities(net, [second for _, second in pairs if second is not None]))
    return [
        Named(first, given if second is None else fused(given, next(seconds)))
        for (first, second), given in zip(pairs, firsts, strict=True)
    ]


def calibration_of(named: dict[str, Named]) -> dict[str, Any]:
    """How far the confidence of these names can be believed, for JSON (trainer.scoring.calibration)."""
    bins = sum((calibration.count(one.probabilities, one.cut.classes) for one in named.values()), calibration.NONE)
    keys = ("from", "share", "confidence", "right")
    return {
        "expected_error": calibration.expected_error(bins),
        "bins": [dict(zip(keys, row, strict=True)) for row in calibration.rows(bins)],
    }


def sureness_of(named: dict[str, Named], unsure_below: float) -> dict[str, Any]:
    """How many names have less confidence than that, and how often these and the others are right, for JSON.

    Beats without a reference have no part in it.
    """
    parts = [(one.probabilities[known], one.cut.classes[known]) for one in named.values() for known in _known(one)]
    confidence = np.concatenate([given.max(axis=1) for given, _ in parts])
    right = np.concatenate([given.argmax(axis=1) == classes for given, classes in parts])
    unsure = confidence < unsure_below
    return {
        "unsure_below": unsure_below,
        "unsure": float(unsure.mean()) if len(unsure) else None,
        "unsure_right": float(right[unsure].mean()) if unsure.any() else None,
        "sure_right": float(right[~unsure].mean()) if (~unsure).any() else None,
    }


def _known(one: Named) -> list[NDArray[np.bool_]]:
    known = one.cut.classes >= 0
    return [known] if known.any() else []


def as_json(found: dict[str, dict[str, Named]], unsure_below: float = 0.0) -> dict[str, Any]:
    """The scores of both ways, 0 to 1, as `evaluate --json` writes them. unsure_below: of the card of the weights."""
    return {
        way: {
            **scores.summary({name: one.table for name, one in named.items()}),
            "calibration": calibration_of(named),
            "sureness": sureness_of(named, unsure_below),
        }
        for way, named in found.items()
    }


def brief(tree: dict[str, Any]) -> dict[str, Any]:
    """An evaluation for a card: its scores and intervals, without records and confusion tables."""
    return {
        way: {key: value for key, value in part.items() if key not in ("records", "confusion", "calibration")}
        for way, part in tree.items()
        if way in WAYS
    }


def name_of_set(names: list[str], where: Path | None) -> str:
    """A name for a set of records."""
    if where is None and set(names) == set(aami.DS2):
        return "DS2, 22 records of patients never seen"
    if where is None and set(names) == set(aami.DS1):
        return "DS1, the records that the weights were fitted on: these numbers flatter"
    return f"{len(names)} records" + (f" of {where}" if where else "")
