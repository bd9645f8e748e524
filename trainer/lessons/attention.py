"""The Transformer's idea: causal attention over the last beats of a patient, in place of a GRU of the same size."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from ecg.records.record import Record
from trainer.lessons.frame import beats, drawing, learning, sequences
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """hearts, beats: simulated, beats of each; with --records: beats of each record. look: beats looked back on."""

    hearts: Annotated[int, Meta(ge=4, le=500)] = 30
    beats: Annotated[int, Meta(ge=64, le=4000)] = 256
    look: Annotated[int, Meta(ge=8, le=256)] = 64
    hidden: Annotated[int, Meta(ge=4, le=256)] = 24
    width: Annotated[int, Meta(ge=4, le=256)] = 32
    steps: Count = 250
    repeats: Annotated[int, Meta(ge=1, le=20)] = 2
    seed: Seed = 0


class Attention(nn.Module):
    """A reader as in BeatMemory, then one head of causal attention over the beats, and one layer after it.

    Inputs: windows [n, beats, window], log RR [n, beats, k]. The distance in beats is told by a learned bias.
    """

    def __init__(self, width: int, window: int, look: int, rr: int = 1) -> None:
        super().__init__()
        self.width = width
        inputs = sequences.READ + rr
        self.reader = nn.Linear(window, sequences.READ)
        self.ask, self.offer, self.carry = (nn.Linear(inputs, width) for _ in range(3))
        self.mix = nn.Linear(width + inputs, width)
        self.near = nn.Parameter(torch.zeros(look))
        self.head = nn.Linear(width + inputs, len(beats.NSV))

    def looks(self, read: Tensor) -> Tensor:
        """How much each beat looks at each earlier one and itself: [n, beats, beats]."""
        count = read.shape[1]
        scores = self.ask(read) @ self.offer(read).transpose(1, 2) / self.width**0.5
        back = torch.arange(count)[:, None] - torch.arange(count)
        seen = (back >= 0) & (back < len(self.near))
        scores = scores + self.near[back.clamp(0, len(self.near) - 1)]
        return torch.softmax(scores.masked_fill(~seen, -1e9), dim=-1)

    def read(self, windows: Tensor, rr: Tensor) -> Tensor:
        """What is kept of each beat: [n, beats, READ + k]."""
        return torch.cat((torch.tanh(self.reader(windows)), rr), dim=-1)

    def forward(self, windows: Tensor, rr: Tensor) -> Tensor:
        """Logits [n, beats, 3]."""
        read = self.read(windows, rr)
        recalled = self.looks(read) @ self.carry(read)
        mixed = torch.tanh(self.mix(torch.cat((recalled, read), dim=-1)))
        logits: Tensor = self.head(torch.cat((mixed, read), dim=-1))
        return logits


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """Fit a GRU and attention on the same sequences; compare accuracy, cost and time."""
    known = beats.ward_of(records, settings.hearts, settings.beats, settings.seed)
    patients = np.random.default_rng(settings.seed).permutation(np.unique(known.patient))
    train = np.isin(known.patient, patients[: (2 * len(patients) + 2) // 3])
    window = known.windows.shape[1]
    learn, test = (sequences.cut(known.take(which), settings.look) for which in (train, ~train))
    scores: dict[str, list[float]] = {"none": [], "gru": [], "attention": []}
    nets: dict[str, nn.Module] = {}
    spent = dict.fromkeys(scores, 0.0)
    for place in range(3 * settings.repeats):
        seed, name = settings.seed + place // 3, tuple(scores)[place % 3]
        torch.manual_seed(seed)
        look = {"attention": settings.look, "none": 1}.get(name)
        net = Attention(settings.width, window, look) if look else sequences.BeatMemory("gru", settings.hidden, window)
        begin = time.perf_counter()
        watched = part(progress, place / (3 * settings.repeats), (place + 1) / (3 * settings.repeats))
        sequences.fit(net, learn, steps=settings.steps, seed=seed, batch=8, progress=watched)
        spent[name] += 1000 * (time.perf_counter() - begin) / settings.steps / settings.repeats
        scores[name].append(sequences.score(net, test))
        nets.setdefault(name, net)
    gru, attention = nets["gru"], nets["attention"]
    assert isinstance(gru, sequences.BeatMemory)
    assert isinstance(attention, Attention)
    inputs = sequences.READ + 1
    looked, only, even = _looked(attention, test)
    numbers: dict[str, Number] = {name: float(np.mean(values)) for name, values in scores.items()}
    numbers |= {f"{name}_spread": float(np.ptp(values)) for name, values in scores.items()}
    numbers |= {f"{name}_ms": value for name, value in spent.items()}
    numbers |= {
        "gru_parameters": learning.parameters(gru),
        "attention_parameters": learning.parameters(attention),
        "gru_macs": 3 * settings.hidden * (settings.hidden + inputs),
        "attention_macs": 3 * inputs * settings.width
        + 2 * settings.look * settings.width
        + settings.width * (settings.width + inputs),
        "gru_kept": settings.hidden,
        "attention_kept": 2 * settings.look * settings.width,
        "last_8": float(looked[:9].sum()),
        "even_8": float(9 * even),
    }
    value = {key: float(number) for key, number in numbers.items()}
    margin = max(value["gru_spread"], value["attention_spread"], 0.01)
    claims = {
        "past": value["attention"] > value["none"] + 0.05,
        "rival": value["attention"] > value["gru"] - margin,
        "better": value["attention"] > value["gru"] + margin,
        "parallel": value["attention_ms"] < value["gru_ms"],
        "keeps_more": value["attention_kept"] > 10 * value["gru_kept"],
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_draw(say, numbers, looked, only, even)])


@torch.no_grad()
def _looked(
    net: Attention, data: tuple[tuple[Tensor, ...], Tensor]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Mean attention of late beats by distance: of all beats, and of S beats alone [look]; and if it were even."""
    (windows, rr), classes = data
    looks = net.looks(net.read(windows, rr)).numpy()
    count = looks.shape[1]
    late = range(3 * count // 4, count)
    length = late.start + 1
    every = np.array([looks[:, at, at - length + 1 : at + 1][:, ::-1].mean(axis=0) for at in late]).mean(axis=0)
    early = [
        looks[row, at, at - length + 1 : at + 1][::-1] for row, at in np.argwhere(classes.numpy() == 1) if at in late
    ]
    only = np.mean(early, axis=0) if early else np.zeros(length)
    even = float(np.mean([1 / (at + 1) for at in late]))
    return every.astype(np.float64), np.asarray(only, np.float64), even


def _draw(
    say: Say, numbers: dict[str, Number], looked: NDArray[np.float64], only: NDArray[np.float64], even: float
) -> Figure:
    made, (left, right) = drawing.figure(1, 2, 2.5, width_ratios=(2, 3))
    labels = (say("no past", "過去なし"), "GRU", say("attention", "注意"))
    drawing.bars(
        left, labels, [float(numbers[name]) for name in ("none", "gru", "attention")], shown="{:.2f}", top=1.15
    )
    left.set(title=say("macro-F1, hearts never seen", "マクロF1（初めての心臓）"))
    back = np.arange(len(looked))
    right.plot(back, looked, color=drawing.BLUE, label=say("every beat", "すべての拍動"))
    right.plot(back, only, color=drawing.ORANGE, label=say("S beats", "S拍"))
    right.axhline(even, color=drawing.GREY, linestyle=":", linewidth=0.8)
    right.set(
        title=say("what attention looks at", "注意の向き先"),
        xlabel=say("beats back", "何拍前か"),
        ylabel=say("share", "割合"),
        ylim=(0, None),
    )
    right.legend()
    return made


LESSON = Lesson(
    name="attention",
    title=Text("Looking back instead of remembering: attention", "覚える代わりに振り返る：アテンション"),
    settings=Settings(),
    quick={"hearts": 8, "beats": 128, "steps": 60, "repeats": 1},
    run=run,
    records=True,
    least=4,
)
