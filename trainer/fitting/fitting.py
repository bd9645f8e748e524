"""A fit under way: network, optimiser, schedule and random numbers, as a value that can be saved and restored."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.model.network import BeatNet
from ecg.records.aami import CLASSES
from trainer.data.cutting import CutRecord
from trainer.data.patients import patients
from trainer.data.streams import Cuts, pieces
from trainer.recipes import Recipe
from trainer.scoring import scores
from trainer.scoring.naming import probabilities

OnStep = Callable[[float, float], None]
"""Called after each step with the epoch's mean loss so far and the learning rate."""


class Fitting:
    """One fit. `epoch` goes one epoch on; `state` and `restore` save it between epochs.

    cuts: beats of all records of the recipe, from both sources. names: records to fit on (default: the recipe's
    data without the held-out ones). Raises UserError where a class that the score needs has no beats.
    """

    def __init__(self, recipe: Recipe, cuts: Cuts, device: torch.device, names: list[str] | None = None) -> None:
        self.recipe, self.cuts, self.device = recipe, cuts, device
        self.names = names or [name for name in patients(recipe.data).names if name not in recipe.hold_out]
        self.order = list(self.names)
        torch.manual_seed(recipe.seed)
        self.rng = np.random.default_rng(recipe.seed)
        self.net = BeatNet(recipe.shape).to(device)
        silence(self.net, recipe)
        self.weight = class_weights([cuts["reference", name] for name in self.names], recipe).to(device)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, recipe.learning_rate, total_steps=recipe.epochs * recipe.steps, pct_start=recipe.warm_up
        )
        self.done = 0
        """Epochs done."""

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    def epoch(self, on_step: OnStep | None = None) -> float:
        """One epoch; its mean loss."""
        recipe = self.recipe
        self.net.train()
        self.rng.shuffle(self.order)
        memory = self.net.empty_memory(recipe.streams)
        total = 0.0
        steps = islice(pieces(self.cuts, self.order, recipe, self.rng), recipe.steps)
        for step, piece in enumerate(steps):
            memory[:, torch.from_numpy(piece.fresh).to(self.device)] = 0
            windows, features, classes = (
                torch.from_numpy(array).to(self.device, non_blocking=True)
                for array in (piece.windows, piece.features, piece.classes)
            )
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                logits, memory = self.net.sequence(windows, features, memory)
            loss = self._descend(logits.float(), classes)
            memory = memory.detach().float()
            total += loss
            if on_step:
                on_step(total / (step + 1), self.learning_rate)
        self.done += 1
        return total / recipe.steps

    def _descend(self, logits: Tensor, classes: Tensor) -> float:
        """One step of the optimiser; the loss."""
        recipe = self.recipe
        loss = F.cross_entropy(
            logits.flatten(0, 1),
            classes.flatten(),
            weight=self.weight,
            ignore_index=-1,
            label_smoothing=recipe.label_smoothing,
        )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip)
        self.optimiser.step()
        self.schedule.step()
        silence(self.net, recipe)
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: tensors and JSON."""
        return {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": random_state(self.rng, self.device),
            "order": list(self.order),
            "done": self.done,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same recipe."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        restore_random(state["random"], self.rng, self.device)
        self.order = list(state["order"])
        self.done = int(state["done"])


@torch.no_grad()
def silence(net: BeatNet, recipe: Recipe) -> None:
    """Hold at zero the weights of what the recipe switches off, so that the network cannot hear it."""
    features = recipe.features_off
    said = net.shape.bottleneck
    hidden = net.shape.memory
    if recipe.silent_channels:
        net.stem[0].weight[:, list(recipe.silent_channels)] = 0  # type: ignore[operator]
    if features:
        net.memory.weight_ih_l0[:, [said + i for i in features]] = 0
        net.head.weight[:, [hidden + said + i for i in features]] = 0
    if not recipe.own_memory:
        net.head.weight[:, :hidden] = 0


def class_weights(cuts: list[CutRecord], recipe: Recipe) -> Tensor:
    """Loss weight of each class: inverse frequency to a mild power, capped, 1 on average over beats: float32 [5].

    Raises UserError where N, S or V has no beats at all.
    """
    classes = np.concatenate([cut.classes for cut in cuts])
    counts = np.bincount(classes[classes >= 0], minlength=len(CLASSES)).astype(np.float64)
    lacking = [name for name, count in zip(CLASSES, counts, strict=True) if count == 0 and name in "NSV"]
    if lacking:
        raise UserError(
            f"the records to fit on have no beats of class {', '.join(lacking)}; hold out others or add records"
        )
    total = counts.sum()
    weights = np.where(counts > 0, (total / np.maximum(counts, 1)) ** recipe.class_power, 0)
    weights = np.minimum(weights, recipe.class_cap)
    weights *= total / (weights * counts).sum()
    return torch.tensor(weights, dtype=torch.float32)


def validate(net: BeatNet, cuts: list[CutRecord]) -> dict[str, float]:
    """Scores on held-out records, all beats together."""
    tables = [scores.tally(cut, said.argmax(axis=1)) for cut, said in zip(cuts, probabilities(net, cuts), strict=True)]
    return scores.score(np.sum(tables, axis=0))


def random_state(rng: np.random.Generator, device: torch.device) -> dict[str, Any]:
    """The state of every random number generator a fit draws from."""
    return {
        "numpy": json.dumps(rng.bit_generator.state),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if device.type == "cuda" else [],
    }


def restore_random(state: dict[str, Any], rng: np.random.Generator, device: torch.device) -> None:
    """Draw on from a saved state."""
    rng.bit_generator.state = json.loads(state["numpy"])
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint whole; on failure the previous one stays. Raises UserError."""
    data = io.BytesIO()
    torch.save(content, data)
    write_atomic({path: data.getvalue()})


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint. Raises UserError where there is none or it cannot be read."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"there is no checkpoint {path}: give the folder of a run to resume") from None
    except Exception as error:
        raise UserError(f"{path} is not a checkpoint: {str(error).splitlines()[0]}") from None
    return dict(content)
