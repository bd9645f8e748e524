"""Whole fits without a choice among their epochs, and their scores: for cross-validation and ablation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from ecg.model.network import BeatNet
from trainer.data.streams import Cuts
from trainer.fitting.beats import BeatFitting
from trainer.recipes import Recipe
from trainer.scoring import scores
from trainer.scoring.evaluation import WAYS
from trainer.scoring.naming import probabilities

Tables = dict[str, dict[str, scores.Table]]
"""Confusion tables by way of evaluation (trainer.scoring.evaluation.WAYS), then by record."""


def fitted(
    recipe: Recipe,
    cuts: Cuts,
    device: torch.device,
    names: list[str] | None = None,
    on_epoch: Callable[[], None] | None = None,
) -> BeatNet:
    """The network after all epochs of the recipe. names: records to fit on, as for BeatFitting."""
    fitting = BeatFitting(recipe, cuts, device, names)
    for _ in range(recipe.epochs):
        fitting.epoch()
        if on_epoch:
            on_epoch()
    return fitting.net


def scored(net: BeatNet, cuts: Cuts, names: Iterable[str]) -> Tables:
    """The named records' confusion tables, by reference R-peaks and end to end."""
    found: Tables = {}
    for way, source in WAYS.items():
        held = [cuts[source, name] for name in names]
        named = probabilities(net, held)
        found[way] = {cut.name: scores.tally(cut, one.argmax(axis=1)) for cut, one in zip(held, named, strict=True)}
    return found
