"""Rhythm classes after Hannun et al. 2019: sequences of beats named by a GRU, and how many hearts it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from ecg.errors import UserError
from ecg.records.record import Record
from trainer.data.cutting import cut
from trainer.lessons.frame import drawing, hearts, learning, rhythms
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part
from trainer.lessons.frame.rhythms import DRAW, NAMES

Count = Annotated[int, Meta(ge=1, le=100_000)]
LENGTH: Final = 16
"""Beats in a sequence."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """few, many: hearts to learn from; test: hearts for the test. With --records: half of the patients are the test.

    sequences: of each rhythm of each simulated heart.
    """

    few: Annotated[int, Meta(ge=1, le=500)] = 2
    many: Annotated[int, Meta(ge=1, le=500)] = 16
    test: Annotated[int, Meta(ge=1, le=500)] = 10
    sequences: Annotated[int, Meta(ge=1, le=50)] = 2
    hidden: Annotated[int, Meta(ge=1, le=256)] = 32
    steps: Count = 300
    seed: Seed = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strips:
    """Sequences of LENGTH beats of one rhythm: windows [n, LENGTH, window], log RR [n, LENGTH, 1], both classes [n]."""

    windows: Tensor
    rr: Tensor
    rhythm: NDArray[np.int64]
    patient: NDArray[np.int64]


def simulated(settings: Settings) -> list[tuple[int, Record]]:
    """Each heart in each rhythm, with the number of its heart."""
    made = []
    for number in range(settings.many + settings.test):
        rng = np.random.default_rng([settings.seed, number])
        one = hearts.heart(rng)
        for label in DRAW:
            count = settings.sequences * LENGTH + 8
            made.append((number, rhythms.record(f"{number} {label}", label, one, count, rng)))
    return made


def strips(given: Sequence[tuple[int, Record]], labels: Sequence[str]) -> Strips:
    """Sequences of beats during which the rhythm does not change."""
    windows, rr, rhythm, patient = [], [], [], []
    for (number, record), found in zip(given, cut([one for _, one in given], "reference"), strict=True):
        notes = record.annotations
        assert notes is not None
        beat = np.searchsorted(notes.index, found.index, side="right") - 1
        names = [str(name).lstrip("(") for name in notes.rhythm[beat]]
        logs = np.log(np.clip(np.diff(found.index, prepend=found.index[:1]) / record.rate, 0.2, 4))
        at = 1
        while at + LENGTH <= len(names):
            span = names[at : at + LENGTH]
            change = next((i for i in range(1, LENGTH) if span[i] != span[0]), 0)
            if change or span[0] not in labels:
                at += change or 1
                continue
            windows.append(found.windows[at : at + LENGTH, 0])
            rr.append(4 * logs[at : at + LENGTH, None] + 1)
            rhythm.append(labels.index(span[0]))
            patient.append(number)
            at += LENGTH
    return Strips(
        windows=torch.from_numpy(np.array(windows, np.float32)),
        rr=torch.from_numpy(np.array(rr, np.float32)),
        rhythm=np.array(rhythm, np.int64),
        patient=np.array(patient, np.int64),
    )


class RhythmNet(nn.Module):
    """A linear reader of each beat and a GRU over the sequence; its largest outputs in time name the rhythm."""

    def __init__(self, window: int, hidden: int, rhythms: int) -> None:
        super().__init__()
        self.reader = nn.Linear(window, 12)
        self.memory = nn.GRU(13, hidden, batch_first=True)
        self.head = nn.Linear(hidden, rhythms)

    def forward(self, windows: Tensor, rr: Tensor) -> Tensor:
        """[n, beats, window], [n, beats, 1] -> [n, rhythms]."""
        read = torch.cat((torch.tanh(self.reader(windows)), rr), dim=-1)
        logits: Tensor = self.head(self.memory(read)[0].amax(dim=1))
        return logits


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """Learn from few hearts and from many; name the rhythms of others."""
    given = list(enumerate(records)) or simulated(settings)
    if records:
        there = [
            str(name).lstrip("(") for one in records if one.annotations for name in np.unique(one.annotations.rhythm)
        ]
        labels = [name for name in dict.fromkeys((*NAMES, *sorted(set(there)))) if name and name in there]
    else:
        labels = list(NAMES)
    all_strips = strips(given, labels)
    if not len(all_strips.rhythm):
        raise UserError(f"the records hold no {LENGTH} beats in a row of an annotated rhythm; take others, such as ds1")
    progress(0.2)
    patients = np.unique(all_strips.patient)
    if records:
        patients = np.random.default_rng(settings.seed).permutation(patients)
    tested = patients[-settings.test :] if not records else patients[: len(patients) // 2]
    learnt = [int(one) for one in patients if one not in tested]
    test = np.isin(all_strips.patient, tested)
    known = all_strips.rhythm[test]
    named = {}
    for place, (name, chosen) in enumerate((("few", learnt[: settings.few]), ("many", learnt))):
        train = np.isin(all_strips.patient, chosen)
        net = learning.seeded(
            settings.seed, lambda: RhythmNet(all_strips.windows.shape[2], settings.hidden, len(labels))
        )
        learning.fit(
            net,
            (all_strips.windows[train], all_strips.rr[train]),
            torch.from_numpy(all_strips.rhythm[train]),
            steps=settings.steps,
            seed=settings.seed,
            batch=32,
            rate=5e-3,
            progress=part(progress, 0.2 + 0.4 * place, 0.6 + 0.4 * place),
        )
        named[name] = learning.said(net, (all_strips.windows[test], all_strips.rr[test]))
    numbers: dict[str, Number] = {
        "length": LENGTH,
        "rhythms": len(labels),
        "strips": len(all_strips.rhythm),
        "learnt": len(learnt),
        "tested": len(tested),
    }
    for name, said in named.items():
        numbers[f"{name}_share"] = float((said == known).mean())
        numbers[f"{name}_f1"] = learning.macro_f1(known, said, len(labels))
    rows, confusion = [], np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (known, named["many"]), 1)
    for number, label in enumerate(labels):
        teachers = [one for one in learnt if (all_strips.rhythm[all_strips.patient == one] == number).any()]
        right = f"{confusion[number, number] / confusion[number].sum():.0%}" if confusion[number].sum() else "-"
        rows.append(f"| {label} | {len(teachers)} | {confusion[number].sum()} | {right} |")
    numbers["table"] = "\n".join(rows)
    off = confusion * (1 - np.eye(len(labels), dtype=np.int64))
    worst = np.unravel_index(off.argmax(), off.shape)
    numbers["worst_known"], numbers["worst_said"] = labels[int(worst[0])], labels[int(worst[1])]
    numbers["worst_count"] = int(off.max())
    claims = {
        "learns": float(numbers["many_f1"]) > 2 / len(labels),
        "many": float(numbers["many_f1"]) > float(numbers["few_f1"]) + 0.05,
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_draw(say, confusion, labels)])


def _draw(say: Say, confusion: NDArray[np.int64], labels: Sequence[str]) -> Figure:
    made, (axes,) = drawing.figure(height=4.2)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.argwhere(confusion > 0):
        axes.text(
            j,
            i,
            str(confusion[i, j]),
            ha="center",
            va="center",
            color="white" if share[i, j] > 0.5 else "black",
            fontsize=8,
        )
    names = [say(*NAMES[label]) if label in NAMES else label for label in labels]
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(
        range(len(labels)),
        [f"{name}  {label}" if name != label else label for name, label in zip(names, labels, strict=True)],
    )
    axes.set(xlabel=say("named by the network", "ネットワークの答え"), ylabel=say("true rhythm", "正しい調律"))
    return made


LESSON = Lesson(
    name="rhythms",
    title=Text("From beats to rhythms: what few hearts can teach", "拍動から調律へ：少ない心臓から学べること"),
    settings=Settings(),
    quick={"many": 3, "test": 2, "sequences": 1, "steps": 60},
    run=run,
    records=True,
    least=4,
)
