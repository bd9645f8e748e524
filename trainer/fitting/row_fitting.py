"""Fits on rows of the Kaggle file: settings, data of each recipe, and a fit under way."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, recall_score
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

from ecg.model.lecture import NetName, build
from trainer.data.rows import TEST_FILE, TRAIN_FILE, Rows, demand_classes, read_csv
from trainer.fitting.fitting import random_state, restore_random
from trainer.recipes import Count, Positive, Share, Spread


class RowRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a network over single rows is fitted.

    file: "test" fits on a split of mitbih_test.csv as the lecture did, "train" on mitbih_train.csv, tested on
    mitbih_test.csv. keep_normal: normal beats kept (0: all). validation, held_out: shares of the file.
    scale, noise, stretch, slope: augmentation, as spreads or half ranges. class_power: of the inverse frequency.
    average: decay of the running average of the weights that is kept (0: none).
    keep_last: the last weights are kept, not those that were best on the validation rows.
    """

    name: str
    net: NetName
    file: Annotated[str, Meta(pattern="^(train|test)$")]
    keep_normal: Annotated[int, Meta(ge=0)] = 0
    held_out: Share = 0.0
    validation: Annotated[float, Meta(gt=0, lt=1)] = 0.03
    epochs: Count = 20
    batch: Count = 64
    learning_rate: Positive = 3e-3
    start_rate: Positive = 1e-3
    warm_up: Annotated[float, Meta(gt=0, lt=1)] = 0.3
    weight_decay: Spread = 0.01
    clip: Positive = 1.0
    dropout: Share = 0.3
    class_power: Share = 1.0
    label_smoothing: Share = 0.1
    noise: Spread = 0.01
    scale: Spread = 0.05
    stretch: Spread = 0.0
    slope: Spread = 0.0
    average: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    keep_last: bool = False
    seed: int = 42


ROW_RECIPES: Final = {
    "tutorial": RowRecipe(
        name="tutorial", net="tutorial", file="test", keep_normal=3000, held_out=0.15, validation=0.15
    ),
    "kaggle": RowRecipe(
        name="kaggle",
        net="residual",
        file="train",
        epochs=16,
        batch=128,
        class_power=0.25,
        label_smoothing=0.05,
        weight_decay=0.02,
        noise=0.01,
        scale=0.1,
        slope=0.05,
        average=0.998,
        keep_last=True,
    ),
}


def data_of(recipe: RowRecipe, folder: Path) -> tuple[Rows, Rows, Rows]:
    """Rows to fit on, to validate on and to test on. Raises UserError for files that cannot be used."""
    path = folder / (TEST_FILE if recipe.file == "test" else TRAIN_FILE)
    rows = read_csv(path)
    demand_classes(rows, str(path))
    if recipe.keep_normal:
        normal = np.flatnonzero(rows.classes == 0)
        kept = np.random.default_rng(recipe.seed).permutation(normal)[: recipe.keep_normal]
        rows = rows.take(np.sort(np.concatenate((kept, np.flatnonzero(rows.classes != 0)))))
    test = read_csv(folder / TEST_FILE) if not recipe.held_out else None
    if test is None:
        rows, test = halve(rows, recipe.held_out, recipe.seed)
    share = recipe.validation / (1 - recipe.held_out)
    fitted, validation = halve(rows, share, recipe.seed)
    return fitted, validation, test


def halve(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Split off a share of the rows, the same share of each class."""
    stay, leave = train_test_split(np.arange(len(rows)), test_size=share, random_state=seed, stratify=rows.classes)
    return rows.take(stay), rows.take(leave)


class RowFitting:
    """One fit on rows. `epoch` goes one epoch on; `state` and `restore` save it between epochs."""

    def __init__(self, recipe: RowRecipe, rows: Rows, device: torch.device) -> None:
        self.recipe, self.rows, self.device = recipe, rows, device
        torch.manual_seed(recipe.seed)
        self.rng = np.random.default_rng(recipe.seed)
        self.net = build(recipe.net, recipe.dropout).to(device)
        self.averaged = copy.deepcopy(self.net).eval()
        counts = np.maximum(rows.counts, 1)
        weights = (counts.sum() / counts) ** recipe.class_power
        weights /= (weights * counts).sum() / counts.sum()
        self.weight = torch.tensor(weights, dtype=torch.float32, device=device)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.steps = -(-len(rows) // recipe.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            recipe.learning_rate,
            total_steps=recipe.epochs * self.steps,
            pct_start=recipe.warm_up,
            div_factor=recipe.learning_rate / recipe.start_rate,
        )
        self.done = 0

    @property
    def best_net(self) -> nn.Module:
        """The network that is kept: the running average where there is one."""
        return self.averaged if self.recipe.average else self.net

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    def epoch(self, on_step: Callable[[float, float], None] | None = None) -> float:
        """One epoch; its mean loss."""
        self.net.train()
        total, seen = 0.0, 0
        for values, classes in self._batches():
            total += self._descend(values.to(self.device), classes.to(self.device))
            seen += 1
            if on_step:
                on_step(total / seen, self.learning_rate)
        self.done += 1
        return total / seen

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Augmented batches in a new order."""
        order = self.rng.permutation(len(self.rows))
        for begin in range(0, len(order), self.recipe.batch):
            chosen = order[begin : begin + self.recipe.batch]
            values = augment(self.rows.values[chosen], self.recipe, self.rng)
            yield torch.from_numpy(values), torch.from_numpy(self.rows.classes[chosen])

    def _descend(self, values: Tensor, classes: Tensor) -> float:
        """One step of the optimiser; the loss."""
        if len(values) == 1:  # batch normalisation needs two rows
            values, classes = values.repeat(2, 1), classes.repeat(2)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = self.net(values)
        loss = F.cross_entropy(logits.float(), classes, weight=self.weight, label_smoothing=self.recipe.label_smoothing)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.schedule.step()
        if self.recipe.average:
            self._follow()
        return float(loss.detach())

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running average towards the weights; faster while there are few steps."""
        steps = int(self.schedule.last_epoch)
        decay = min(self.recipe.average, steps / (steps + 10))
        ours = self.net.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(ours[name], 1 - decay)
            else:
                value.copy_(ours[name])

    def state(self) -> dict[str, Any]:
        """Everything needed to go on."""
        return {
            "net": self.net.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": random_state(self.rng, self.device),
            "done": self.done,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same recipe."""
        self.net.load_state_dict(state["net"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        restore_random(state["random"], self.rng, self.device)
        self.done = int(state["done"])


def augment(values: NDArray[np.float32], recipe: RowRecipe, rng: np.random.Generator) -> NDArray[np.float32]:
    """Scale, slope, stretch in time and noise, on a copy. The zero padding stays zero but for the noise."""
    count, length = values.shape
    made = values * rng.uniform(1 - recipe.scale, 1 + recipe.scale, (count, 1)).astype(np.float32)
    if recipe.slope:
        lean = rng.normal(0, recipe.slope, (count, 1)) * np.linspace(-1, 1, length)
        made += (lean * (values > 0)).astype(np.float32)
    if recipe.stretch:
        factor = rng.uniform(1 - recipe.stretch, 1 + recipe.stretch, (count, 1))
        at = np.minimum(np.arange(length) * factor, length - 1)
        low = at.astype(np.int64)
        high = np.minimum(low + 1, length - 1)
        part = (at - low).astype(np.float32)
        row = np.arange(count)[:, None]
        made = made[row, low] * (1 - part) + made[row, high] * part
    if recipe.noise:
        noise = rng.standard_normal(values.shape, dtype=np.float32) * np.float32(recipe.noise)
        made += noise * (values > 0) if recipe.net == "residual" else noise
    return made


@torch.no_grad()
def predict(net: nn.Module, rows: Rows, device: torch.device, batch: int = 512) -> NDArray[np.float32]:
    """Class probabilities: float32 [n, 5]."""
    training = net.training
    net.eval()
    parts = [
        torch.softmax(net(torch.from_numpy(rows.values[i : i + batch]).to(device)).float(), dim=-1).cpu().numpy()
        for i in range(0, len(rows), batch)
    ]
    net.train(training)
    return np.concatenate(parts)


def scores_of(rows: Rows, said: NDArray[np.float32]) -> dict[str, Any]:
    """Accuracy, macro recall, macro F1, F1 per class, and the confusion matrix."""
    named = said.argmax(axis=1)
    labels = list(range(5))
    each = f1_score(rows.classes, named, labels=labels, average=None, zero_division=0)
    return {
        "rows": len(rows),
        "accuracy": float((named == rows.classes).mean()),
        "macro_recall": float(recall_score(rows.classes, named, labels=labels, average="macro", zero_division=0)),
        "macro_f1": float(each.mean()),
        "f1": {name: float(value) for name, value in zip("NSVFQ", each, strict=True)},
        "confusion": confusion_matrix(rows.classes, named, labels=labels).tolist(),
    }
