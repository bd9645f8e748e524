"""LSTM beside GRU: gates, parameters, work, time and accuracy, with few hearts to learn from and with many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from torch import nn

from ecg.records.record import Record
from trainer.lessons.frame import beats, drawing, learning, sequences
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]
CELLS: Final = ("rnn", "lstm", "gru")
GATES: Final = {"rnn": 1, "lstm": 4, "gru": 3}
"""Matrices that each cell multiplies by: its gates, and the new content."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """few, many: hearts to learn from; test: for the test; beats of each. With --records a third is the test."""

    few: Annotated[int, Meta(ge=2, le=500)] = 3
    many: Annotated[int, Meta(ge=2, le=500)] = 24
    test: Annotated[int, Meta(ge=2, le=500)] = 12
    beats: Annotated[int, Meta(ge=64, le=4000)] = 192
    hidden: Annotated[int, Meta(ge=1, le=256)] = 24
    steps: Count = 200
    repeats: Annotated[int, Meta(ge=1, le=20)] = 2
    seed: Seed = 0


def microseconds(cell: nn.Module, inputs: int, beats_timed: int = 200) -> float:
    """The median time of one step of one bed on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    spent = []
    state = None
    with torch.no_grad():
        for _ in range(beats_timed):
            step = torch.randn(1, 1, inputs)
            begin = time.perf_counter()
            _, state = cell(step, state)
            spent.append(time.perf_counter() - begin)
    torch.set_num_threads(threads)
    return 1e6 * float(np.median(spent))


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """Three cells of as many units on the same beats; learned from few and from many hearts, tested on others."""
    known = beats.ward_of(records, settings.many + settings.test, settings.beats, settings.seed)
    patients = np.unique(known.patient)
    tested = patients[-settings.test :] if not records else patients[-max(len(patients) // 3, 1) :]
    learnt = [one for one in patients if one not in tested]
    test = sequences.cut(known.take(np.isin(known.patient, tested)))
    window, inputs = known.windows.shape[1], sequences.READ + 1
    numbers: dict[str, Number] = {}
    scores: dict[str, list[float]] = {}
    rounds = [(many, cell, repeat) for many in ("few", "many") for cell in CELLS for repeat in range(settings.repeats)]
    for place, (many, cell, repeat) in enumerate(rounds):
        chosen = learnt[: settings.few] if many == "few" else learnt
        learn = sequences.cut(known.take(np.isin(known.patient, chosen)))
        seed = settings.seed + repeat
        net = learning.seeded(seed, partial(sequences.BeatMemory, cell, settings.hidden, window))
        watched = part(progress, place / len(rounds), (place + 1) / len(rounds))
        sequences.fit(net, learn, steps=settings.steps, seed=seed, progress=watched)
        scores.setdefault(f"{cell}_{many}_own", []).append(sequences.score(net, learn))
        scores.setdefault(f"{cell}_{many}", []).append(sequences.score(net, test))
        assert isinstance(net, sequences.BeatMemory)
        numbers[f"{cell}_parameters"] = learning.parameters(net.memory)
        numbers[f"{cell}_macs"] = GATES[cell] * settings.hidden * (settings.hidden + inputs)
        if repeat == 0 and many == "few":
            numbers[f"{cell}_us"] = microseconds(net.memory, inputs)
    numbers |= {name: float(np.mean(values)) for name, values in scores.items()}
    numbers["seeds_apart"] = float(np.mean([np.ptp(values) for name, values in scores.items() if "own" not in name]))
    value = {key: float(number) for key, number in numbers.items()}
    margin = max(value["seeds_apart"], 0.02)
    claims = {
        "cheaper": abs(value["gru_macs"] / value["lstm_macs"] - 0.75) < 1e-9,
        "equal": abs(value["gru_many"] - value["lstm_many"]) < margin,
        "more_hearts": all(value[f"{cell}_many"] > value[f"{cell}_few"] + 0.05 for cell in ("lstm", "gru")),
        "overfits": all(value[f"{cell}_few_own"] > value[f"{cell}_few"] + 0.15 for cell in ("lstm", "gru")),
        "gates_help": min(value["gru_many"], value["lstm_many"]) > value["rnn_many"] + margin,
        "gru_with_few": value["gru_few"] > value["lstm_few"] + margin,
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_draw(say, numbers)])


def _draw(say: Say, numbers: dict[str, Number]) -> Figure:
    made, (left, middle, right) = drawing.figure(1, 3, 2.6, width_ratios=(2, 3, 3))
    names = [cell.upper() for cell in CELLS]
    drawing.bars(left, names, [float(numbers[f"{cell}_parameters"]) for cell in CELLS], shown="{:,.0f}")
    left.set(title=say("numbers in the memory", "記憶のパラメータ数"))
    for axes, many, title in (
        (middle, "few", say("learned from few hearts", "少ない心臓で学習")),
        (right, "many", say("learned from many", "多くの心臓で学習")),
    ):
        shown = (
            (f"{many}_own", say("hearts learned", "学習した心臓"), drawing.GREY),
            (many, say("hearts never seen", "初めての心臓"), drawing.BLUE),
        )
        for offset, (key, label, colour) in enumerate(shown):
            heights = [float(numbers[f"{cell}_{key}"]) for cell in CELLS]
            drawn = axes.bar(np.arange(3) + 0.4 * offset, heights, 0.38, color=colour, label=label)
            axes.bar_label(drawn, [f"{height:.2f}" for height in heights], fontsize=7)
        axes.set_xticks(np.arange(3) + 0.2, names)
        axes.set(title=title, ylim=(0, 1.4), yticks=(0, 0.5, 1))
        axes.legend(fontsize=7, loc="upper center", ncols=2)
    return made


LESSON = Lesson(
    name="gru",
    title=Text("Two gates, one notebook: GRU beside LSTM", "二つのゲート、一冊のノート：GRUとLSTM"),
    settings=Settings(),
    quick={"few": 2, "many": 4, "test": 3, "beats": 96, "steps": 60, "repeats": 1},
    run=run,
    records=True,
    least=4,
)
