"""Amnesia: a network that sees one moment cannot tell two histories apart that end in the same value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor

from ecg.records.record import Record
from trainer.lessons.frame import drawing, learning
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """values: seen of each patient. noise: mmHg. early: RR interval of an early beat over the patient's own mean."""

    values: Annotated[int, Meta(ge=2, le=200)] = 12
    noise: Annotated[float, Meta(ge=0, le=100)] = 4.0
    early: Annotated[float, Meta(gt=0, le=1)] = 0.8
    hidden: Annotated[int, Meta(ge=1, le=256)] = 8
    examples: Count = 1500
    steps: Count = 500
    seed: Seed = 0


def pressures(
    settings: Settings, rng: np.random.Generator, count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pressures that end alike: [n, values] mmHg, and whether they fell from 140 (1) or stood at 100 (0)."""
    fell = rng.integers(0, 2, count)
    course = np.linspace(0, 1, settings.values)
    falling = 140 - 40 * np.clip(1.4 * course, 0, 1)
    made = np.where(fell[:, None] == 1, falling, 100.0) + rng.normal(0, settings.noise, (count, settings.values))
    return made.astype(np.float32), fell


def intervals(
    settings: Settings, rng: np.random.Generator, count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """RR intervals: [n, values] s, and whether the last one is early against those before it (1).

    The last interval is drawn alike for both; the past is made to fit it.
    """
    early = rng.integers(0, 2, count)
    last = rng.uniform(0.5, 0.9, count)
    usual = np.where(early == 1, last / settings.early, last)
    made = usual[:, None] * np.exp(rng.normal(0, 0.03, (count, settings.values)))
    made[:, -1] = last
    return made.astype(np.float32), early


def run(settings: Settings, _records: Sequence[Record], progress: Progress) -> Outcome:
    """Fit a network without memory and an RNN to both tasks."""
    rng = np.random.default_rng(settings.seed)
    numbers: dict[str, Number] = {"usual": 0.7 / settings.early}
    shown = {}
    for place, (task, make, middle, size) in enumerate(
        (("pressure", pressures, 110.0, 15.0), ("beat", intervals, 0.75, 0.15))
    ):
        values, kinds = make(settings, rng, 2 * settings.examples)
        shown[task] = (values[:60], kinds[:60])
        steps = torch.from_numpy((values - np.float32(middle)) / np.float32(size))[..., None]
        targets = torch.from_numpy(kinds)
        new = slice(settings.examples, None)
        for way, (name, sees) in enumerate((("now", steps[:, -1:]), ("rnn", steps))):
            net = _net(name, settings)
            here = (2 * place + way) / 4
            _fit(
                net,
                sees[: settings.examples],
                targets[: settings.examples],
                settings,
                part(progress, here, here + 0.25),
            )
            numbers[f"{task}_{name}"] = learning.share_right(net, (sees[new],), targets[new])
    claims = {
        "blind": abs(float(numbers["pressure_now"]) - 0.5) < 0.06,
        "remembers": float(numbers["pressure_rnn"]) > float(numbers["pressure_now"]) + 0.3,
        "blind_beat": abs(float(numbers["beat_now"]) - 0.5) < 0.06,
        "remembers_beat": float(numbers["beat_rnn"]) > float(numbers["beat_now"]) + 0.3,
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_draw(say, shown, numbers)])


def _net(name: str, settings: Settings) -> torch.nn.Module:
    if name == "rnn":
        return learning.seeded(settings.seed, lambda: learning.Last("rnn", 1, settings.hidden, 2))
    return learning.seeded(settings.seed, lambda: learning.mlp(1, 4 * settings.hidden, 2))


def _fit(net: torch.nn.Module, steps: Tensor, targets: Tensor, settings: Settings, progress: Progress) -> None:
    learning.fit(net, (steps,), targets, steps=settings.steps, seed=settings.seed, rate=1e-2, progress=progress)


def _draw(
    say: Say, shown: dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]], numbers: dict[str, Number]
) -> Figure:
    made, (left, middle, right) = drawing.figure(1, 3, width_ratios=(3, 3, 2))
    for axes, task in ((left, "pressure"), (middle, "beat")):
        values, kinds = shown[task]
        for kind, colour in ((0, drawing.BLUE), (1, drawing.VERMILION)):
            axes.plot(values[kinds == kind][:8].T, color=colour, alpha=0.55, linewidth=1)
        axes.plot(values.shape[1] - 1, float(np.median(values[:, -1])), "o", color=drawing.BLACK, markersize=5)
        axes.set_xlabel(say("step", "時点"))
    left.set(title=say("fell (red) or stood (blue)?", "下降（赤）か、一定（青）か"), ylabel="mmHg")
    middle.set(title=say("last beat early (red)?", "最後の拍動は早いか（赤）"), ylabel="RR (s)")
    names = (("pressure", say("pressure", "血圧")), ("beat", say("beat", "拍動")))
    for offset, (net, label, colour) in enumerate(
        (("now", say("sees now", "今だけ"), drawing.GREY), ("rnn", "RNN", drawing.BLUE))
    ):
        heights = [float(numbers[f"{task}_{net}"]) for task, _ in names]
        drawn = right.bar(np.arange(2) + 0.4 * offset, heights, 0.38, color=colour, label=label)
        right.bar_label(drawn, [f"{height:.0%}" for height in heights], fontsize=7)
    right.axhline(0.5, color=drawing.BLACK, linewidth=0.7, linestyle=":")
    right.set_xticks(np.arange(2) + 0.2, [label for _, label in names])
    right.set(ylim=(0, 1.25), title=say("named rightly", "正答率"), yticks=[])
    right.legend(loc="upper center", ncols=2, fontsize=7)
    return made


LESSON = Lesson(
    name="amnesia",
    title=Text("Amnesia: one moment is not enough", "健忘：今だけを見ても分からない"),
    settings=Settings(),
    quick={"examples": 600, "steps": 150},
    run=run,
)
