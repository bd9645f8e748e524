"""The fit of a network over rows of the Kaggle file."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from rich.console import Console
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from ecg.files import write_atomic
from ecg.model.lecture import build
from ecg.model.row_weights import RowCard
from ecg.records import aami, library
from ecg.records.aami import CLASSES
from trainer.data.rows import TEST_FILE, TRAIN_FILE, Rows, demand_classes, join, read_csv, rows_of
from trainer.fitting import loop
from trainer.fitting.fitting import Fitting, class_weights
from trainer.fitting.runs import Run, commit
from trainer.recipes import RowRecipe
from trainer.scoring.rows import predict, scores_of


def data_of(recipe: RowRecipe, folder: Path) -> tuple[Rows, Rows, Rows]:
    """Rows to fit on, to validate on and to test on. Raises UserError for files that cannot be used."""
    if recipe.file == "ds1":
        rows, others = (join([rows_of(library.read(name)) for name in names]) for names in (aami.DS1, aami.DS2))
        fitted, validation = halve(thinned(rows, recipe), recipe.validation, recipe.seed)
        return fitted, validation, others
    path = folder / (TEST_FILE if recipe.file == "test" else TRAIN_FILE)
    rows = read_csv(path)
    demand_classes(rows, str(path))
    rows = thinned(rows, recipe)
    test = read_csv(folder / TEST_FILE) if not recipe.held_out else None
    if test is None:
        rows, test = halve(rows, recipe.held_out, recipe.seed)
    share = recipe.validation / (1 - recipe.held_out)
    fitted, validation = halve(rows, share, recipe.seed)
    return fitted, validation, test


def thinned(rows: Rows, recipe: RowRecipe) -> Rows:
    """No more rows of each class than the recipe keeps, drawn at random."""
    rng = np.random.default_rng(recipe.seed)
    kept = []
    for number in range(len(CLASSES)):
        members = np.flatnonzero(rows.classes == number)
        most = recipe.keep_other if number else recipe.keep_normal
        kept.append(rng.permutation(members)[:most] if most else members)
    return rows.take(np.sort(np.concatenate(kept)))


def halve(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Split off a share of the rows, the same share of each class."""
    stay, leave = train_test_split(np.arange(len(rows)), test_size=share, random_state=seed, stratify=rows.classes)
    return rows.take(stay), rows.take(leave)


class RowFitting(Fitting[RowRecipe, nn.Module]):
    """One fit on rows."""

    def __init__(self, recipe: RowRecipe, rows: Rows, device: torch.device) -> None:
        self.rows = rows
        super().__init__(
            recipe,
            device,
            build=lambda: build(recipe.net, recipe.dropout),
            weight=class_weights(np.maximum(rows.counts, 1), recipe.class_power),
            steps=-(-len(rows) // recipe.batch),
            div_factor=recipe.learning_rate / recipe.start_rate,
        )
        self.averaged = copy.deepcopy(self.net).eval()

    @property
    def best_net(self) -> nn.Module:
        """The network to keep: the running average, if the recipe has one."""
        return self.averaged if self.recipe.average else self.net

    def passes(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Augmented batches in a new order."""
        order = self.rng.permutation(len(self.rows))
        for begin in range(0, len(order), self.recipe.batch):
            chosen = order[begin : begin + self.recipe.batch]
            values = torch.from_numpy(augment(self.rows.values[chosen], self.recipe, self.rng)).to(self.device)
            classes = torch.from_numpy(self.rows.classes[chosen]).to(self.device)
            if len(chosen) == 1:  # batch normalisation needs two rows
                values, classes = values.repeat(2, 1), classes.repeat(2)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                logits = self.net(values)
            yield logits.float(), classes

    @torch.no_grad()
    def after_step(self) -> None:
        """Move the running average towards the weights; faster during the first steps."""
        if not self.recipe.average:
            return
        steps = int(self.schedule.last_epoch)
        decay = min(self.recipe.average, steps / (steps + 10))
        ours = self.net.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(ours[name], 1 - decay)
            else:
                value.copy_(ours[name])

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: tensors and JSON."""
        return {**super().state(), "averaged": self.averaged.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same recipe."""
        super().restore(state)
        self.averaged.load_state_dict(state["averaged"])


def fit(
    fitting: RowFitting,
    validation: Rows,
    place: Run,
    console: Console,
    title: str,
    saved: dict[str, Any] | None = None,
) -> loop.Log:
    """Fit to the end; the log. The best weights are those with the best macro F1, or the last, as the recipe has it."""

    def judge() -> tuple[float | None, dict[str, float]]:
        found = scores_of(validation, predict(fitting.best_net, validation, fitting.device))
        shown = {name: float(found[name]) for name in ("accuracy", "macro_f1")}
        return None if fitting.recipe.keep_last else shown["macro_f1"], shown

    def keep(_: loop.Log) -> None:
        state = {name: value.detach().cpu().contiguous() for name, value in fitting.best_net.state_dict().items()}
        write_atomic({place.best: safetensors.torch.save(state)})

    return loop.fit(fitting, place, console, title, judge=judge, keep=keep, saved=saved)


def best_of(recipe: RowRecipe, place: Run, device: torch.device) -> nn.Module:
    """The network with the best weights of a run."""
    net = build(recipe.net, recipe.dropout)
    net.load_state_dict(safetensors.torch.load_file(place.best))
    return net.to(device)


def card_of(recipe: RowRecipe, metrics: dict[str, Any]) -> RowCard:
    """The card of a fit's best weights. metrics: as `trainer fit` writes them."""
    return RowCard(
        name=recipe.name,
        recipe=recipe.name,
        net=recipe.net,
        commit=commit(),
        seed=recipe.seed,
        metrics=metrics,
        limits="It sees one beat at a time and knows nothing of the patient. "
        + (
            "Fitted on rows cut from the 22 records of DS1 (MIT-BIH)."
            if recipe.file == "ds1"
            else "Fitted on a random draw of the beats of all patients, so that its score flatters."
        ),
    )


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
