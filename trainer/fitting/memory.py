"""A fit in two parts: the reader by single beats, then squeeze, rhythm memory and head on what the kept reader says.

The reader costs nearly all of a fit's time, and needs no order of beats: single ones, drawn evenly among patients and
classes, teach it more in the same time than streams do. Then it is kept, every beat is read once, and the rest is
fitted on streams of its outputs, in seconds an epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ecg.model.network import BeatNet, reader_of
from ecg.model.rhythms import NOISE, RHYTHMS, UNKNOWN
from trainer.data.cutting import CutRecord
from trainer.data.draws import draws, sources_of, urn
from trainer.data.streams import Cuts, Piece, noise_of, pieces
from trainer.fitting.beats import BeatFitting
from trainer.fitting.fitting import class_weights
from trainer.recipes import Recipe

TOGETHER = 1024
"""Windows read in one go."""


class TwoPartFitting(BeatFitting):
    """First `reader_epochs` of single beats, then `epochs` of streams on the kept reader's outputs."""

    def __init__(self, recipe: Recipe, cuts: Cuts, device: torch.device, names: list[str] | None = None) -> None:
        super().__init__(recipe, cuts, device, names)
        self.read: Cuts = {}
        self.urn = urn(cuts, self.names, recipe)
        self.rhythm_weight = weights_of_rhythms([cuts["reference", name] for name in self.names], recipe)
        self.of_rhythms: Tensor | None = None
        self.start(list(self.net.parameters()), recipe.reader_epochs * recipe.steps)

    @property
    def epochs(self) -> int:
        """Epochs of both parts."""
        return self.recipe.reader_epochs + self.recipe.epochs

    @property
    def ripe(self) -> bool:
        """Whether the memory has been fitted on."""
        return self.done > self.recipe.reader_epochs

    def epoch(self, on_step: Any = None) -> float:
        """One epoch; its mean loss."""
        if self.done == self.recipe.reader_epochs:
            self._keep_reader()
            fresh = BeatNet(self.recipe.shape).to(self.device)
            for part in ("squeeze", "memory", "head", "rhythm"):
                if getattr(fresh, part) is not None:
                    getattr(self.net, part).load_state_dict(getattr(fresh, part).state_dict())
            self.after_step()
        return super().epoch(on_step)

    def passes(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Steps of single beats, without a memory; then pieces of all streams, as the reader has read them."""
        recipe = self.recipe
        if self.done >= recipe.reader_epochs:
            self.rng.shuffle(self.order)
            memory = self.net.empty_memory(recipe.streams)
            for piece in islice(pieces(self.read, self.order, recipe, self.rng, read=True), recipe.steps):
                memory[:, torch.from_numpy(piece.fresh).to(self.device)] = 0
                windows, features, classes = self._tensors(piece)
                inputs = torch.cat((self.net.narrow(windows.squeeze(2)), features), dim=-1)
                recalled, memory = self.net.recall(inputs, memory)
                logits = self.net.head(torch.cat((self.net.dropout(recalled), inputs), dim=-1))
                self.of_rhythms = self._of_rhythms(recalled, torch.from_numpy(piece.rhythms).to(self.device))
                yield logits.flatten(0, 1), classes.flatten()
                memory = memory.detach()
            return
        empty = self.net.empty_memory(recipe.reader_batch)
        for piece in islice(draws(self.cuts, self.urn, recipe, self.rng), recipe.steps):
            windows, features, classes = self._tensors(piece)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                logits, _ = self.net.sequence(windows, features, empty)
            yield logits.float().flatten(0, 1), classes.flatten()

    def loss_weight(self) -> Tensor | None:
        """Single beats are drawn evenly enough to weigh alike."""
        return super().loss_weight() if self.done >= self.recipe.reader_epochs else None

    def loss(self, logits: Tensor, classes: Tensor) -> Tensor:
        """The loss by classes, and beside it that of the rhythm head."""
        loss = super().loss(logits, classes)
        return loss if self.of_rhythms is None else loss + self.recipe.rhythm_share * self.of_rhythms

    def _of_rhythms(self, recalled: Tensor, rhythms: Tensor) -> Tensor | None:
        """Loss of the rhythm head in one step; None without a head, or where no rhythm is known."""
        if self.net.rhythm is None or not bool((rhythms != UNKNOWN).any()):
            return None
        said = self.net.rhythm(self.net.dropout(recalled))
        weight = self.rhythm_weight.to(self.device)
        return F.cross_entropy(said.flatten(0, 1), rhythms.flatten(), weight=weight, ignore_index=UNKNOWN)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same recipe."""
        if int(state["done"]) > self.recipe.reader_epochs:
            self.net.load_state_dict(state["net"])
            self._keep_reader()
        super().restore(state)

    def _tensors(self, piece: Piece) -> tuple[Tensor, Tensor, Tensor]:
        windows, features, classes = (
            torch.from_numpy(np.ascontiguousarray(array)).to(self.device, non_blocking=True)
            for array in (piece.windows, piece.features, piece.classes)
        )
        return windows, features, classes

    def _keep_reader(self) -> None:
        """Read every beat of the fit; from now on the reader does not learn."""
        keys = [key for name in self.names for key in sources_of(self.cuts, name, self.recipe)]
        keys += [key for key in self.cuts if key[1] in noise_of(self.cuts)] if self.recipe.noise_share else []
        self.read = {key: outputs(self.net, self.cuts[key]) for key in keys}
        for part in (self.net.stem, self.net.reader):
            part.requires_grad_(False)
            part.zero_grad()  # or the last gradient would count in every clipping to come
        learning = [one for one in self.net.parameters() if one.requires_grad]
        self.start(learning, self.recipe.epochs * self.recipe.steps)


def weights_of_rhythms(cuts: list[CutRecord], recipe: Recipe) -> Tensor:
    """Loss weight of each rhythm by how often it is known in these records, and noise by its share: float32."""
    known = np.concatenate([cut.rhythms for cut in cuts])
    counts = np.bincount(known[known != UNKNOWN], minlength=len(RHYTHMS)).astype(np.int64)
    counts[NOISE] += round(recipe.noise_share * counts.sum())
    return class_weights(np.maximum(counts, 1), recipe.class_power, recipe.class_cap)


@torch.no_grad()
def outputs(net: BeatNet, cut: CutRecord) -> CutRecord:
    """A record with the reader's pooled outputs in the place of its windows: float32 [n, 1, 2 * reader]."""
    training = net.training
    net.eval()
    device = net.squeeze.weight.device
    reader = reader_of(net)
    pool = getattr(reader, "pool", net.pool)
    parts = [
        pool(net.stem(part.to(device))).cpu().numpy() for part in torch.split(torch.from_numpy(cut.windows), TOGETHER)
    ]
    net.train(training)
    read = np.concatenate(parts) if len(cut) else np.zeros((0, 2 * net.shape.reader), np.float32)
    return replace(cut, windows=read[:, None, :])


def fitting_of(recipe: Recipe, cuts: Cuts, device: torch.device, names: list[str] | None = None) -> BeatFitting:
    """The fit of a recipe: in one part or in two. Arguments as for BeatFitting."""
    kind = TwoPartFitting if recipe.reader_epochs else BeatFitting
    return kind(recipe, cuts, device, names)
