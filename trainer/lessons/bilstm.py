"""Reading a beat forwards, backwards and both ways; and the moment that max pooling picks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ecg.records.record import Record
from ecg.signal.path import MODEL_RATE
from ecg.signal.windows import WINDOW_BEFORE
from trainer.lessons.frame import beats, drawing, learning
from trainer.lessons.frame.beats import NSV
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]
WAYS: Final = ("forward", "backward", "both")
POOLS: Final = ("max", "last")
QRS: Final = 0.12
"""s around the R-peak."""
FIFTH: Final = 0.2


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """hearts, beats: simulated, beats of each; with --records: beats of each record. spread: how hearts differ.

    every: samples in a step. ectopic: share of S, and of V.
    """

    hearts: Annotated[int, Meta(ge=4, le=500)] = 20
    beats: Annotated[int, Meta(ge=64, le=4000)] = 150
    spread: Annotated[float, Meta(ge=0, le=3)] = 0.5
    every: Annotated[int, Meta(ge=1, le=8)] = 3
    hidden: Annotated[int, Meta(ge=1, le=256)] = 16
    ectopic: Annotated[float, Meta(ge=0, le=0.3)] = 0.15
    steps: Count = 250
    repeats: Annotated[int, Meta(ge=1, le=20)] = 2
    seed: Seed = 0


class Reader(nn.Module):
    """An LSTM over the samples of a beat.

    way: forward, backward, or both with half as many units each. pool: "max" over time, or "last": the state that has
    read everything.
    """

    def __init__(self, way: str, pool: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.way, self.pool = way, pool
        both = way == "both"
        self.hidden = max(hidden // 2, 1) if both else hidden
        self.cell = nn.LSTM(inputs, self.hidden, batch_first=True, bidirectional=both)
        self.head = nn.Linear(self.hidden * (1 + both), len(NSV))

    def steps(self, beat: Tensor) -> Tensor:
        """Hidden states in the order of time: [n, steps, inputs] -> [n, steps, units]."""
        if self.way == "backward":
            return torch.flip(self.cell(torch.flip(beat, [1]))[0], [1])
        states: Tensor = self.cell(beat)[0]
        return states

    def forward(self, beat: Tensor) -> Tensor:
        """[n, steps, inputs] -> [n, 3]."""
        states = self.steps(beat)
        if self.pool == "max":
            return torch.as_tensor(self.head(states.amax(dim=1)))
        first, last = states[:, 0], states[:, -1]
        if self.way == "both":
            last = torch.cat((last[:, : self.hidden], first[:, self.hidden :]), dim=1)
        return torch.as_tensor(self.head(first if self.way == "backward" else last))


@torch.no_grad()
def moments(net: Reader, beat: Tensor, named: NDArray[np.int64]) -> NDArray[np.int64]:
    """The step that each beat's strongest argument for its class came from: int64 [n].

    The argument of a unit is its maximum times its weight for the class, against the mean of the other classes.
    """
    largest, place = net.steps(beat).max(dim=1)
    weight = net.head.weight - net.head.weight.mean(dim=0)
    arguments = largest * weight[torch.from_numpy(named)]
    return place.gather(1, arguments.argmax(dim=1, keepdim=True))[:, 0].numpy()


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """Three ways of reading, each pooled two ways, on patients never seen."""
    known = beats.ward_of(
        records,
        settings.hearts,
        settings.beats,
        settings.seed,
        spread=settings.spread,
        supra=settings.ectopic,
        ventricular=settings.ectopic,
    )
    patients = np.random.default_rng(settings.seed).permutation(np.unique(known.patient))
    train = np.isin(known.patient, patients[: (2 * len(patients) + 2) // 3])
    count = known.windows.shape[1] // settings.every * settings.every
    steps = torch.from_numpy(known.windows[:, :count]).reshape(len(known), -1, settings.every)
    classes = torch.from_numpy(known.classes)
    weight = torch.tensor([1.0, 3.0, 3.0])
    numbers: dict[str, Number] = {
        "milliseconds": 1000 * settings.every / MODEL_RATE,
        "test_beats": int((~train).sum()),
        "qrs_ms": 1000 * QRS,
    }
    kept: Reader | None = None
    scores: dict[str, list[float]] = {f"{way}_{pool}": [] for way in WAYS for pool in POOLS}
    rounds = [(repeat, way, pool) for repeat in range(settings.repeats) for way in WAYS for pool in POOLS]
    for place, (repeat, way, pool) in enumerate(rounds):
        seed = settings.seed + repeat
        net = learning.seeded(seed, partial(Reader, way, pool, settings.every, settings.hidden))
        learning.fit(
            net,
            (steps[train],),
            classes[train],
            steps=settings.steps,
            seed=seed,
            rate=1e-2,
            loss=lambda logits, target: F.cross_entropy(logits, target, weight),
            progress=part(progress, place / len(rounds), (place + 1) / len(rounds)),
        )
        said = learning.said(net, (steps[~train],))
        scores[f"{way}_{pool}"].append(learning.macro_f1(known.classes[~train], said, len(NSV)))
        numbers[f"{way}_units"] = learning.parameters(net)
        if (way, pool) == ("both", "max") and kept is None:
            assert isinstance(net, Reader)
            kept = net
    numbers |= {name: float(np.mean(values)) for name, values in scores.items()}
    numbers["seeds_apart"] = float(np.mean([np.ptp(values) for values in scores.values()]))
    assert kept is not None
    test, truth = steps[~train], known.classes[~train]
    right = learning.said(kept, (test,)) == truth
    found = moments(kept, test[torch.from_numpy(right)], truth[right])
    seconds = ((found + 0.5) * settings.every - WINDOW_BEFORE) / MODEL_RATE
    fifth = max(round(steps.shape[1] * FIFTH), 1)
    shown: dict[str, NDArray[np.float64]] = {}
    for number, name in enumerate(NSV):
        mine = truth[right] == number
        shown[name] = seconds[mine]
        counts = np.sort(np.bincount(found[mine], minlength=steps.shape[1]))
        numbers[f"busy_{name}"] = float(counts[-fifth:].sum() / max(mine.sum(), 1))
        numbers[f"at_qrs_{name}"] = float((np.abs(seconds[mine]) <= QRS).mean()) if mine.any() else 0.0
    value = {key: float(number) for key, number in numbers.items()}
    gains = [value[f"{way}_max"] - value[f"{way}_last"] for way in WAYS]
    claims = {
        "both": value["both_max"] > max(value["forward_max"], value["backward_max"]) + value["seeds_apart"],
        "pooling": float(np.mean(gains)) > value["seeds_apart"],
        "moment": min(value["busy_N"], value["busy_V"]) > 0.5,
    }
    means = [known.windows[~train][truth == number].mean(axis=0) for number in range(3)]
    return Outcome(
        numbers=numbers,
        claims=claims,
        draw=lambda say: [_scores(say, numbers), _moments(say, means, shown, settings.every)],
    )


def _scores(say: Say, numbers: dict[str, Number]) -> Figure:
    made, (axes,) = drawing.figure(height=2.2)
    labels = (say("forward", "順方向"), say("backward", "逆方向"), say("both ways", "両方向"))
    pools = (
        ("max", say("max pooling", "最大プーリング"), drawing.BLUE),
        ("last", say("last state", "最後の状態"), drawing.GREY),
    )
    for offset, (pool, label, colour) in enumerate(pools):
        heights = [float(numbers[f"{way}_{pool}"]) for way in WAYS]
        drawn = axes.bar(np.arange(3) + 0.4 * offset, heights, 0.38, color=colour, label=label)
        axes.bar_label(drawn, [f"{height:.2f}" for height in heights], fontsize=8)
    axes.set_xticks(np.arange(3) + 0.2, labels)
    axes.set(ylim=(0, 1.3), ylabel=say("macro-F1", "マクロF1"), yticks=(0, 0.5, 1))
    axes.legend(ncols=2, loc="upper left")
    return made


def _moments(say: Say, means: list[NDArray[np.float32]], shown: dict[str, NDArray[np.float64]], every: int) -> Figure:
    made, axes = drawing.figure(2, 3, 3.2, sharex=True, height_ratios=(2, 1.3))
    time = (np.arange(len(means[0])) - WINDOW_BEFORE) / MODEL_RATE
    edges = np.append(time[::every], time[-1])
    for number, name in enumerate(NSV):
        axes[number].plot(time, means[number], color=drawing.CLASS_COLOURS[name])
        axes[number].set(title=say(f"mean {name} beat", f"{name}拍の平均"), yticks=[])
        axes[number + 3].hist(shown[name], edges.tolist(), color=drawing.CLASS_COLOURS[name])
        axes[number + 3].set(xlabel=say("s from the R-peak", "R波からの秒数"))
    axes[3].set(ylabel=say("beats", "拍動数"))
    return made


LESSON = Lesson(
    name="bilstm",
    title=Text("Reading both ways, and the moment that decides", "両方向に読む、そして決め手の瞬間"),
    settings=Settings(),
    quick={"hearts": 6, "beats": 80, "steps": 60, "repeats": 1},
    run=run,
    records=True,
    least=4,
)
