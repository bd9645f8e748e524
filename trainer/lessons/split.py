"""Random beats against whole patients, and a file whose beats are sorted by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor

from ecg.records.record import Record
from trainer.lessons.frame import beats, drawing, learning, sequences
from trainer.lessons.frame.beats import NSV, Labelled
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]
ROW: Final = 16
"""Beats in a sequence of a file."""
DRAWS: Final = 8
"""Times that a file is drawn anew for the fit."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """hearts, beats: simulated, beats of each; with --records: beats of each record. spread: how hearts differ.

    noise: added to the beats of the second experiment, in sizes of the beat, so that one beat alone is hard.
    """

    hearts: Annotated[int, Meta(ge=4, le=500)] = 16
    beats: Annotated[int, Meta(ge=64, le=4000)] = 200
    spread: Annotated[float, Meta(ge=0, le=3)] = 1.5
    hidden: Annotated[int, Meta(ge=1, le=512)] = 48
    noise: Annotated[float, Meta(ge=0, le=10)] = 0.4
    steps: Count = 500
    sequence_steps: Count = 400
    repeats: Annotated[int, Meta(ge=1, le=20)] = 2
    seed: Seed = 0


def halves(known: Labelled, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which beats are for learning: drawn at random, and by whole patients; a half each."""
    rng = np.random.default_rng(seed)
    patients = np.unique(known.patient)
    chosen = rng.permutation(patients)[: len(patients) // 2]
    return rng.random(len(known)) < 0.5, np.isin(known.patient, chosen)


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """The same network on the same beats under both splits; then on sequences of a sorted file."""
    known = beats.ward_of(records, settings.hearts, settings.beats, settings.seed, spread=settings.spread)
    scores: dict[str, list[float]] = {"random": [], "patients": [], "mixed": [], "sorted": []}
    for repeat in range(settings.repeats):
        seed = settings.seed + repeat
        watched = part(progress, repeat / settings.repeats, (repeat + 1) / settings.repeats)
        at_random, by_patient = halves(known, seed)
        for place, (name, chosen) in enumerate((("random", at_random), ("patients", by_patient))):
            scores[name].append(_single(settings, known, chosen, seed, part(watched, place / 4, (place + 1) / 4)))
        for place, (name, sort) in enumerate((("mixed", False), ("sorted", True)), 2):
            scores[name].append(
                _in_sequences(settings, known, at_random, sort, seed, part(watched, place / 4, (place + 1) / 4))
            )
    numbers: dict[str, Number] = {name: float(np.mean(values)) for name, values in scores.items()}
    numbers |= {"patients_count": len(np.unique(known.patient)), "beats_count": len(known), "row": ROW}
    numbers |= {f"{name}_spread": float(np.ptp(values)) for name, values in scores.items()}
    claims = {
        "flatters": float(numbers["random"]) > float(numbers["patients"]) + 0.05,
        "leaks": float(numbers["sorted"]) > float(numbers["mixed"]) + 0.02,
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_draw(say, numbers, scores)])


def _single(settings: Settings, known: Labelled, chosen: NDArray[np.bool_], seed: int, progress: Progress) -> float:
    """Macro-F1 of a network over single windows on the beats not chosen."""
    inputs = torch.from_numpy(known.windows)
    classes = torch.from_numpy(known.classes)
    net = learning.seeded(seed, lambda: learning.mlp(inputs.shape[1], settings.hidden, len(NSV)))
    learning.fit(
        net,
        (inputs[chosen],),
        classes[chosen],
        steps=settings.steps,
        seed=seed,
        rate=5e-3,
        decay=1e-2,
        progress=progress,
    )
    return learning.macro_f1(known.classes[~chosen], learning.said(net, (inputs[~chosen],)), len(NSV))


def _rows(known: Labelled, sort: bool, rng: np.random.Generator) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Sequences of ROW beats as they stand in a file: windows, no RR, and classes.

    The beats are drawn at random; sort: and then sorted by class, as the Kaggle file is.
    """
    order = rng.permutation(len(known))
    if sort:
        order = order[np.argsort(known.classes[order], kind="stable")]
    whole = order[: len(order) // ROW * ROW].reshape(-1, ROW)
    windows = torch.from_numpy(known.windows[whole])
    return (windows, torch.zeros(*whole.shape, 1)), torch.from_numpy(known.classes[whole])


def _in_sequences(
    settings: Settings, known: Labelled, chosen: NDArray[np.bool_], sort: bool, seed: int, progress: Progress
) -> float:
    """Macro-F1 of a GRU over sequences cut from a file, on the beats not chosen."""
    rng = np.random.default_rng(seed)
    hard = replace(known, windows=known.windows + rng.normal(0, settings.noise, known.windows.shape).astype(np.float32))
    train, test = (hard.take(which) for which in (chosen, ~chosen))
    drawn = [_rows(train, sort, rng) for _ in range(DRAWS)]
    windows, rr = (torch.cat(parts) for parts in zip(*(inputs for inputs, _ in drawn), strict=True))
    data = ((windows, rr), torch.cat([classes for _, classes in drawn]))
    net = learning.seeded(seed, lambda: sequences.BeatMemory("gru", 16, known.windows.shape[1]))
    sequences.fit(net, data, steps=settings.sequence_steps, seed=seed, progress=progress)
    return sequences.score(net, _rows(test, sort, rng))


def _draw(say: Say, numbers: dict[str, Number], scores: dict[str, list[float]]) -> Figure:
    made, (left, right) = drawing.figure(1, 2, 2.6, sharey=True)
    pairs = (
        (left, ("random", "patients"), (say("random beats", "拍動を無作為に"), say("whole patients", "患者ごと"))),
        (right, ("sorted", "mixed"), (say("sorted by class", "クラス順"), say("mixed", "混ぜた順"))),
    )
    for axes, keys, labels in pairs:
        drawing.bars(
            axes,
            labels,
            [float(numbers[key]) for key in keys],
            colours=(drawing.VERMILION, drawing.BLUE),
            shown="{:.2f}",
            top=1.15,
        )
        for place, key in enumerate(keys):
            axes.plot(np.full(len(scores[key]), place - 0.22), scores[key], ".", color=drawing.BLACK, markersize=4)
    left.set(title=say("how the beats are divided", "拍動の分け方"), ylabel=say("macro-F1", "マクロF1"))
    right.set(title=say("how sequences are cut", "系列の切り方"))
    return made


LESSON = Lesson(
    name="split",
    title=Text("Whom do you ask? Random beats and whole patients", "誰に尋ねるか：拍動の無作為分割と患者ごとの分割"),
    settings=Settings(),
    quick={"hearts": 10, "beats": 130, "steps": 150, "sequence_steps": 150, "repeats": 1},
    run=run,
    records=True,
    least=4,
)
