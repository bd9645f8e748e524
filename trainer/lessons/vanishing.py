"""Gradients that die and gradients that explode, and the task each cell can or cannot learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ecg.records.record import Record
from trainer.lessons.frame import drawing, learning
from trainer.lessons.frame.learning import Last
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Floats = NDArray[np.float64]
Count = Annotated[int, Meta(ge=1, le=100_000)]
CELLS: Final = ("rnn", "lstm", "lstm_open", "gru")
NAMES: Final = {"rnn": "RNN", "lstm": "LSTM", "lstm_open": "LSTM, open", "gru": "GRU"}
LOST: Final = 1e-3
"""A gradient this much smaller than that of the newest input teaches nothing any more."""
EXPLOSION: Final = 120
"""Steps of the exploding RNN's learning."""
LEARNED: Final = 0.1
"""A loss below it says that the task has been learned; 0.69 is a coin's."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """far: steps of the gradient. spans: steps over which a sign has to be recalled. noise: of the steps between.

    open: added to the bias of the forget gate in the LSTM with an open gate. scale: of the exploding RNN's weights.
    tries: of its learning, each with a seed of its own.
    """

    far: Annotated[int, Meta(ge=10, le=5000)] = 1000
    spans: Annotated[tuple[Annotated[int, Meta(ge=2, le=500)], ...], Meta(min_length=1, max_length=8)] = (10, 40)
    hidden: Annotated[int, Meta(ge=2, le=256)] = 16
    noise: Annotated[float, Meta(ge=0, le=10)] = 0.1
    open: Annotated[float, Meta(ge=-10, le=10)] = 4.0
    scale: Annotated[float, Meta(gt=0, le=3)] = 1.5
    tries: Annotated[int, Meta(ge=1, le=100)] = 8
    steps: Count = 200
    seed: Seed = 0


def build(name: str, settings: Settings) -> Last:
    """A cell by name, its first weights as torch draws them but for the open forget gate."""
    torch.manual_seed(settings.seed)
    net = Last(name.partition("_")[0], 2, settings.hidden, 2)
    if name == "lstm_open":
        with torch.no_grad():
            net.cell.bias_ih_l0[settings.hidden : 2 * settings.hidden] += settings.open
    return net


def gradients(net: Last, steps: int, seed: int) -> Floats:
    """Norm of the gradient of the last hidden state by the input 0, 1, 2 ... steps before, relative to the newest."""
    torch.manual_seed(seed)
    inputs = torch.randn(4, steps, 2, requires_grad=True)
    net.cell(inputs)[0][:, -1].sum().backward()
    assert inputs.grad is not None
    norms: Floats = inputs.grad.norm(dim=2).mean(dim=0).flip(0).numpy().astype(np.float64)
    return np.asarray(norms / max(norms[0], 1e-30))


def reach(norms: Floats) -> int:
    """Steps back until the gradient is LOST for good."""
    return int(np.flatnonzero(norms > LOST)[-1]) + 1


def recall(settings: Settings, span: int, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Sequences whose first value, marked, is 1 or -1, with noise after it: [n, span, 2]; whether it was 1 [n]."""
    signs = rng.integers(0, 2, count)
    made = np.zeros((count, span, 2), np.float32)
    made[..., 0] = rng.normal(0, settings.noise, (count, span))
    made[:, 0] = np.stack((2 * signs - 1, np.ones(count)), axis=1)
    return torch.from_numpy(made), torch.from_numpy(signs)


def explode(settings: Settings, clip: float | None, seed: int) -> tuple[float, float]:
    """An RNN of large weights taught by plain gradient steps: largest gradient, and the mean of its last losses."""
    torch.manual_seed(seed)
    net = Last("rnn", 2, settings.hidden, 2)
    with torch.no_grad():
        nn.init.orthogonal_(net.cell.get_parameter("weight_hh_l0"), settings.scale)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.5)
    rng = np.random.default_rng(seed)
    largest, losses = 0.0, []
    for _ in range(EXPLOSION):
        inputs, targets = recall(settings, settings.spans[-1], 32, rng)
        loss = F.cross_entropy(net(inputs), targets)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(net.parameters(), clip if clip is not None else float("inf"))
        largest = max(largest, float(norm.detach()))
        optimiser.step()
        losses.append(float(loss.detach()))
    return largest, float(np.mean(losses[-40:]))


def grown(settings: Settings, steps: int = 50) -> float:
    """How much a gradient has grown after so many steps back through an RNN of large weights near zero."""
    torch.manual_seed(settings.seed)
    cell = nn.RNN(2, settings.hidden, batch_first=True, bias=False)
    with torch.no_grad():
        nn.init.orthogonal_(cell.get_parameter("weight_hh_l0"), settings.scale)
    inputs = (1e-12 * torch.randn(1, steps + 1, 2)).requires_grad_(True)
    cell(inputs)[0][:, -1].sum().backward()
    assert inputs.grad is not None
    norms = inputs.grad.norm(dim=2)[0]
    return float(norms[0] / norms[-1])


def run(settings: Settings, _records: Sequence[Record], progress: Progress) -> Outcome:
    """Gradients before and after learning, the recall task, and an explosion with and without clipping."""
    numbers: dict[str, Number] = {}
    curves: dict[str, tuple[Floats, Floats]] = {}
    rounds = [(name, span) for name in CELLS for span in settings.spans]
    for place, (name, span) in enumerate(rounds):
        rng = np.random.default_rng(settings.seed)
        net = build(name, settings)
        before = gradients(net, settings.far, settings.seed)
        learn, new = recall(settings, span, 1000, rng), recall(settings, span, 500, rng)
        learning.fit(
            net,
            (learn[0],),
            learn[1],
            steps=settings.steps,
            seed=settings.seed,
            batch=32,
            rate=5e-3,
            progress=part(progress, place / len(rounds), (place + 1) / len(rounds)),
        )
        after = gradients(net, settings.far, settings.seed)
        curves[name] = before, after
        numbers[f"{name}_reach"], numbers[f"{name}_learned"] = reach(before), reach(after)
        numbers[f"{name}_{'near' if span == settings.spans[0] else 'far'}"] = learning.share_right(
            net, (new[0],), new[1]
        )
    numbers["near_span"], numbers["far_span"] = settings.spans[0], settings.spans[-1]
    numbers["grown"] = grown(settings)
    for name, clip in (("loose", None), ("clipped", 1.0)):
        found = [explode(settings, clip, settings.seed + one) for one in range(settings.tries)]
        numbers[f"{name}_largest"] = max(largest for largest, _ in found)
        numbers[f"{name}_loss"] = float(np.mean([loss for _, loss in found]))
        numbers[f"{name}_learned"] = sum(loss < LEARNED for _, loss in found)
    value = {key: float(number) for key, number in numbers.items()}
    claims = {
        "dies": value["rnn_reach"] < 30,
        "lstm_too": value["lstm_reach"] < 2 * value["rnn_reach"],
        "open": value["lstm_open_reach"] > 10 * value["rnn_reach"],
        "rnn_fails": value["rnn_near"] > 0.9 and value["rnn_far"] < 0.7,
        "open_learns": value["lstm_open_far"] > 0.9,
        "gru_learns": value["gru_far"] > 0.9,
        "explodes": value["grown"] > 1e3,
        "clip": value["clipped_learned"] > value["loose_learned"],
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_curves(say, curves), _recall(say, numbers)])


def _curves(say: Say, curves: dict[str, tuple[Floats, Floats]]) -> Figure:
    made, axes = drawing.figure(1, 2, 2.8, sharey=True)
    for one, when, title in zip(
        axes, (0, 1), (say("before learning", "学習前"), say("after learning", "学習後")), strict=True
    ):
        for (name, pair), colour in zip(curves.items(), drawing.COLOURS, strict=False):
            steps = np.arange(len(pair[when])) + 1
            one.loglog(steps, np.maximum(pair[when], 1e-12), color=colour, label=NAMES[name])
        one.axhline(LOST, color=drawing.GREY, linestyle=":", linewidth=0.8)
        one.set(title=title, xlabel=say("steps back", "何ステップ前か"), ylim=(1e-8, 30))
    axes[0].set(ylabel=say("gradient", "勾配"))
    axes[1].legend(fontsize=8)
    return made


def _recall(say: Say, numbers: dict[str, Number]) -> Figure:
    made, (axes,) = drawing.figure(height=2.2)
    for offset, (which, colour) in enumerate((("near", drawing.SKY), ("far", drawing.BLUE))):
        heights = [float(numbers[f"{name}_{which}"]) for name in CELLS]
        span = numbers[f"{which}_span"]
        label = say(f"over {span} steps", f"{span}ステップ")
        drawn = axes.bar(np.arange(len(CELLS)) + 0.4 * offset, heights, 0.38, color=colour, label=label)
        axes.bar_label(drawn, [f"{height:.0%}" for height in heights], fontsize=8)
    axes.axhline(0.5, color=drawing.BLACK, linewidth=0.7, linestyle=":")
    axes.set_xticks(np.arange(len(CELLS)) + 0.2, [NAMES[name] for name in CELLS])
    axes.set(ylim=(0, 1.4), yticks=(0, 0.5, 1), ylabel=say("recalled", "正答率"))
    axes.legend(ncols=2, loc="upper left")
    return made


LESSON = Lesson(
    name="vanishing",
    title=Text("0.1 × 0.1 × ...: gradients that die", "0.1 × 0.1 × …：消えていく勾配"),
    settings=Settings(),
    quick={"far": 200, "spans": (6, 30), "steps": 60, "tries": 1},
    run=run,
)
