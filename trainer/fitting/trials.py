"""Whole fits without a choice among their epochs, and their scores: for cross-validation and ablation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model.doubt import NONE, Doubt
from ecg.model.fusion import fused
from ecg.model.network import BeatNet
from trainer.data.cutting import CutRecord
from trainer.data.leads import other_key
from trainer.data.streams import Cuts
from trainer.fitting.memory import fitting_of
from trainer.recipes import Recipe
from trainer.scoring import calibration, scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.judged import Judged, Trial
from trainer.scoring.naming import probabilities

TWO_LEADS = "two_leads_end_to_end"
"""The third way: as end to end, and the record's other lead read beside the one that is analysed."""


def fitted(
    recipe: Recipe,
    cuts: Cuts,
    device: torch.device,
    names: list[str] | None = None,
    on_epoch: Callable[[], None] | None = None,
) -> BeatNet:
    """The network after all epochs of the recipe. names: records to fit on, as for BeatFitting."""
    fitting = fitting_of(recipe, cuts, device, names)
    for _ in range(fitting.epochs):
        fitting.epoch()
        if on_epoch:
            on_epoch()
    return fitting.net


def scored(net: BeatNet, cuts: Cuts, names: Iterable[str], doubt: Doubt = NONE) -> Trial:
    """The named records by reference R-peaks, end to end, and with both leads where the other one is cut too."""
    names = list(names)
    found: Trial = {}
    for way, source in WAYS.items():
        held = [cuts[source, name] for name in names]
        named = probabilities(net, held)
        found[way] = _judged(held, named, doubt)
        if source == "detector" and all((source, other_key(name)) in cuts for name in names):
            second = probabilities(net, [cuts[source, other_key(name)] for name in names])
            both = [fused(one, two) for one, two in zip(named, second, strict=True)]
            found[TWO_LEADS] = _judged(held, both, doubt)
    return found


def _judged(held: list[CutRecord], named: list[NDArray[np.float32]], doubt: Doubt) -> dict[str, Judged]:
    believed = [doubt.weigh(one, cut.seconds) for cut, one in zip(held, named, strict=True)]
    return {
        cut.name: Judged(scores.tally(cut, one.argmax(axis=1)), calibration.count(one, cut.classes))
        for cut, one in zip(held, believed, strict=True)
    }
