"""The fit of a beat reader and rhythm memory on cut beats."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from ecg.errors import UserError
from ecg.model import weights
from ecg.model.network import BeatNet
from ecg.records.aami import CLASSES
from ecg.records.patients import patients
from trainer.data.cutting import CutRecord
from trainer.data.noise import UNKNOWN
from trainer.data.streams import Cuts, pieces
from trainer.fitting import loop
from trainer.fitting.cards import card_of
from trainer.fitting.fitting import Fitting, class_weights
from trainer.fitting.runs import Run
from trainer.recipes import Recipe
from trainer.scoring import scores
from trainer.scoring.naming import probabilities

NEEDED = "NSV"
"""Classes without which there is no score."""


class BeatFitting(Fitting[Recipe, BeatNet]):
    """One fit on streams of beats.

    cuts: beats of all records of the recipe, from both sources. names: records to fit on (default: the recipe's
    data without the held-out ones). Raises UserError if a scored class has no beats.
    """

    def __init__(self, recipe: Recipe, cuts: Cuts, device: torch.device, names: list[str] | None = None) -> None:
        self.cuts = cuts
        self.names = names or [name for name in patients(recipe.data).names if name not in recipe.hold_out]
        self.order = list(self.names)
        super().__init__(
            recipe,
            device,
            build=lambda: BeatNet(recipe.shape),
            weight=weights_of([cuts["reference", name] for name in self.names], recipe),
            steps=recipe.steps,
        )
        silence(self.net, recipe)

    def passes(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Pieces of all streams in a new order of records, the memory carried from piece to piece."""
        recipe = self.recipe
        self.rng.shuffle(self.order)
        memory = self.net.empty_memory(recipe.streams)
        for piece in islice(pieces(self.cuts, self.order, recipe, self.rng), recipe.steps):
            memory[:, torch.from_numpy(piece.fresh).to(self.device)] = 0
            windows, features, classes = (
                torch.from_numpy(array).to(self.device, non_blocking=True)
                for array in (piece.windows, piece.features, piece.classes)
            )
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                logits, memory = self.net.sequence(windows, features, memory)
            yield logits.float().flatten(0, 1), classes.flatten()
            memory = memory.detach().float()

    @property
    def ripe(self) -> bool:
        """Whether the whole network has been fitted on, so that its scores mean anything."""
        return True

    def after_step(self) -> None:
        """Keep the silent inputs silent."""
        silence(self.net, self.recipe)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: tensors and JSON."""
        return {**super().state(), "order": list(self.order)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same recipe."""
        super().restore(state)
        self.order = list(state["order"])


@torch.no_grad()
def silence(net: BeatNet, recipe: Recipe) -> None:
    """Hold the weights of the recipe's silent inputs at zero, and those of a memory that is taken out."""
    features = recipe.features_off
    read = net.shape.bottleneck
    hidden = net.shape.memory
    if recipe.silent_channels:
        net.stem[0].weight[:, list(recipe.silent_channels)] = 0  # type: ignore[operator]
    if features:
        net.memory.weight_ih_l0[:, [read + i for i in features]] = 0
        net.head.weight[:, [hidden + read + i for i in features]] = 0
    if not recipe.own_memory:
        net.head.weight[:, :hidden] = 0


def weights_of(cuts: list[CutRecord], recipe: Recipe) -> Tensor:
    """Loss weight of each class in these records: float32 [5]. Raises UserError if N, S or V has no beats at all."""
    classes = np.concatenate([cut.classes for cut in cuts])
    counts = np.bincount(classes[classes >= 0], minlength=len(CLASSES)).astype(np.int64)
    counts[UNKNOWN] += round(recipe.noise_share * counts.sum())
    lacking = [name for name, count in zip(CLASSES, counts, strict=True) if count == 0 and name in NEEDED]
    if lacking:
        raise UserError(
            f"the records to fit on have no beats of class {', '.join(lacking)}; hold out others or add records"
        )
    return class_weights(counts, recipe.class_power, recipe.class_cap)


def validate(net: BeatNet, cuts: list[CutRecord]) -> dict[str, float]:
    """Scores on held-out records, all beats together."""
    tables = [scores.tally(cut, one.argmax(axis=1)) for cut, one in zip(cuts, probabilities(net, cuts), strict=True)]
    return scores.score(np.sum(tables, axis=0))


def fit(
    fitting: BeatFitting,
    place: Run,
    data_hash: str,
    console: Console,
    title: str,
    saved: dict[str, Any] | None = None,
) -> loop.Log:
    """Fit to the end, or until the score of the held-out records stops rising; the log.

    If no record is held out, the last weights are the best. saved: a checkpoint to go on from.
    """
    recipe = fitting.recipe
    held = [fitting.cuts["detector", name] for name in recipe.hold_out]

    def judge() -> tuple[float | None, dict[str, float]]:
        if not held:
            return None, {}
        if not fitting.ripe:
            return 0.0, {}
        found = validate(fitting.net, held)
        value = found["macro_f1_nsv"]
        return value, {"macro_f1_nsv": value, "S_f1": found["S.f1"], "V_f1": found["V.f1"]}

    def keep(log: loop.Log) -> None:
        beats = [fitting.cuts["reference", name] for name in fitting.names]
        weights.save(place.best, fitting.net.as_weights(), card_of(recipe, beats, data_hash, log))

    return loop.fit(
        fitting,
        place,
        console,
        title,
        judge=judge,
        keep=keep,
        patience=recipe.patience if held and not recipe.reader_epochs else None,
        about={"data_hash": data_hash},
        saved=saved,
    )
