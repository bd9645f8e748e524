"""A fit: network, optimiser, schedule and random numbers, as a value to save and restore between epochs.

There is one epoch, for all recipes: `passes` gives the logits and classes of each step, and `epoch` descends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.fitting.checkpoint import random_state, restore_random
from trainer.recipes import Recipe, RowRecipe

R = TypeVar("R", Recipe, RowRecipe)
N = TypeVar("N", bound=nn.Module)

OnStep = Callable[[float, float], None]
"""Called after each step with the epoch's mean loss so far and the learning rate."""
UNLABELLED: Final = -1
"""Class number of a beat without a reference: it has no loss."""
DIV_FACTOR: Final = 25.0
"""Highest learning rate over the first one."""


class Fitting(ABC, Generic[R, N]):
    """One fit. `epoch` goes one epoch on; `state` and `restore` save it between epochs.

    build: makes the network, after the random numbers are seeded. weight: loss weight of each class, float32 [5].
    steps: in an epoch. div_factor: highest learning rate over the first one. done: epochs done.
    """

    def __init__(
        self,
        recipe: R,
        device: torch.device,
        *,
        build: Callable[[], N],
        weight: Tensor,
        steps: int,
        div_factor: float = DIV_FACTOR,
    ) -> None:
        self.recipe: R = recipe
        self.device, self.steps = device, steps
        torch.manual_seed(recipe.seed)
        self.rng = np.random.default_rng(recipe.seed)
        self.net = build().to(device)
        self.weight = weight.to(device)
        self.start(list(self.net.parameters()), recipe.epochs * steps, div_factor)
        self.done = 0

    def start(self, parameters: list[nn.Parameter], total_steps: int, div_factor: float = DIV_FACTOR) -> None:
        """An optimiser of these parameters, and its schedule, at their beginning."""
        recipe = self.recipe
        self.optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            recipe.learning_rate,
            total_steps=total_steps,
            pct_start=recipe.warm_up,
            div_factor=div_factor,
        )

    @property
    def epochs(self) -> int:
        """Epochs of the whole fit."""
        return self.recipe.epochs

    @abstractmethod
    def passes(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The steps of an epoch: logits [n, 5] and classes [n]. The network may change between two of them."""

    def after_step(self) -> None:
        """Called after each step of the optimiser."""

    def loss_weight(self) -> Tensor | None:
        """Loss weight of each class in the present epoch: float32 [5]; None: all alike."""
        return self.weight

    @property
    def best_net(self) -> nn.Module:
        """The network to keep."""
        return self.net

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    def epoch(self, on_step: OnStep | None = None) -> float:
        """One epoch; its mean loss."""
        self.net.train()
        total, step = 0.0, 0
        for step, (logits, classes) in enumerate(self.passes(), 1):
            total += self._descend(logits, classes)
            if on_step:
                on_step(total / step, self.learning_rate)
        self.done += 1
        return total / max(step, 1)

    def loss(self, logits: Tensor, classes: Tensor) -> Tensor:
        """The loss of one step of `passes`."""
        return F.cross_entropy(
            logits,
            classes,
            weight=self.loss_weight(),
            ignore_index=UNLABELLED,
            label_smoothing=self.recipe.label_smoothing,
        )

    def _descend(self, logits: Tensor, classes: Tensor) -> float:
        """One step of the optimiser; the loss."""
        loss = self.loss(logits, classes)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.schedule.step()
        self.after_step()
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: tensors and JSON."""
        return {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": random_state(self.rng, self.device),
            "done": self.done,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same recipe."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        restore_random(state["random"], self.rng, self.device)
        self.done = int(state["done"])


def class_weights(counts: NDArray[np.int64], power: float, cap: float = np.inf) -> Tensor:
    """Loss weight of each class: inverse frequency to a power, capped, 1 on average over beats: float32 [5].

    counts: beats of each class; a class without beats weighs 0.
    """
    total = counts.sum()
    weights = np.where(counts > 0, (total / np.maximum(counts, 1)) ** power, 0)
    weights = np.minimum(weights, cap)
    weights *= total / (weights * counts).sum()
    return torch.tensor(weights, dtype=torch.float32)
