"""Rare classes: accuracy that says nothing, undersampling, class weights, and what they do to probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ecg.errors import UserError
from ecg.records.record import Record
from trainer.fitting.fitting import class_weights
from trainer.lessons.frame import beats, drawing, learning
from trainer.lessons.frame.beats import NSV
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=0.3)]
BINS: Final = 10
WAYS: Final = ("plain", "under", "weighted", "smooth")


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """hearts, beats: simulated, beats of each; with --records: beats of each record. supra, ventricular: share of S, V.

    keep: of the N beats, where they are undersampled. power: of the inverse frequency, in class weights. smoothing: of
    labels.
    """

    hearts: Annotated[int, Meta(ge=4, le=500)] = 30
    beats: Annotated[int, Meta(ge=64, le=4000)] = 300
    supra: Share = 0.01
    ventricular: Share = 0.01
    keep: Annotated[float, Meta(gt=0, le=1)] = 0.05
    power: Annotated[float, Meta(ge=0, le=1)] = 1.0
    smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    hidden: Annotated[int, Meta(ge=1, le=512)] = 32
    steps: Count = 600
    seed: Seed = 0


def calibration(given: NDArray[np.float32], known: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """Expected calibration error of the named class, and (mean probability, share right, beats) of each bin."""
    named = given.argmax(axis=1)
    sure, right = given.max(axis=1), named == known
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    rows = [
        (sure[place == b].mean(), right[place == b].mean(), (place == b).sum())
        for b in range(BINS)
        if (place == b).any()
    ]
    table = np.array(rows, np.float64)
    return float((np.abs(table[:, 0] - table[:, 1]) * table[:, 2]).sum() / len(known)), table


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """One network four ways: as it is, undersampled, weighted, and with smoothed labels."""
    known = beats.ward_of(
        records, settings.hearts, settings.beats, settings.seed, supra=settings.supra, ventricular=settings.ventricular
    )
    if not (known.classes > 0).any():
        raise UserError(
            "there is no S or V beat, so nothing is rare: raise supra or ventricular, or take other records"
        )
    rng = np.random.default_rng(settings.seed)
    patients = rng.permutation(np.unique(known.patient))
    train = np.isin(known.patient, patients[: (len(patients) + 1) // 2])
    inputs = torch.from_numpy(np.concatenate((known.windows, known.rr[:, :1]), axis=1))
    classes = torch.from_numpy(known.classes)
    kept = train & ((known.classes > 0) | (rng.random(len(known)) < settings.keep))
    weight = class_weights(np.bincount(known.classes[train], minlength=5).astype(np.int64), settings.power)[: len(NSV)]
    ways: dict[str, tuple[NDArray[np.bool_], Callable[[Tensor, Tensor], Tensor]]] = {
        "plain": (train, F.cross_entropy),
        "under": (kept, F.cross_entropy),
        "weighted": (train, lambda logits, target: F.cross_entropy(logits, target, weight)),
        "smooth": (train, lambda logits, target: F.cross_entropy(logits, target, label_smoothing=settings.smoothing)),
    }
    truth = known.classes[~train]
    numbers: dict[str, Number] = {
        "normal": float((truth == 0).mean()),
        "normal_f1": learning.macro_f1(truth, np.zeros_like(truth), len(NSV)),
        "train_beats": int(train.sum()),
        "kept_beats": int(kept.sum()),
        "rare": int((known.classes[train] > 0).sum()),
    }
    tables, found = {}, {}
    for place, (name, (chosen, loss)) in enumerate(ways.items()):
        net = learning.seeded(settings.seed, lambda: learning.mlp(inputs.shape[1], settings.hidden, len(NSV)))
        watched = part(progress, place / len(ways), (place + 1) / len(ways))
        learning.fit(
            net,
            (inputs[chosen],),
            classes[chosen],
            steps=settings.steps,
            seed=settings.seed,
            loss=loss,
            progress=watched,
        )
        given = torch.softmax(learning.outputs(net, (inputs[~train],)), dim=1).numpy()
        said = given.argmax(axis=1)
        numbers[f"{name}_accuracy"] = float((said == truth).mean())
        numbers[f"{name}_f1"] = learning.macro_f1(truth, said, len(NSV))
        numbers[f"{name}_se"] = float((said == truth)[truth > 0].mean())
        numbers[f"{name}_false"] = float((said > 0)[truth == 0].mean())
        numbers[f"{name}_ece"], tables[name] = calibration(given, truth)
        numbers[f"{name}_said"] = float(1 - given[:, 0].mean())
        found[name] = given
    value = {key: float(number) for key, number in numbers.items()}
    claims = {
        "empty": value["normal"] > 0.95 and value["normal_f1"] < 0.35,
        "weights_find": value["weighted_se"] > value["plain_se"] + 0.03,
        "under_find": value["under_se"] > value["plain_se"] + 0.03,
        "cost": value["weighted_false"] > value["plain_false"] + 0.002,
        "weights_lie": value["weighted_said"] > 1.3 * (1 - value["normal"]),
        "smoothing_shy": value["smooth_ece"] > value["plain_ece"] + 0.03,
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_scores(say, numbers), _reliability(say, tables)])


def _names(say: Say) -> dict[str, str]:
    return {
        "plain": say("as it is", "そのまま"),
        "under": say("undersampled", "間引き"),
        "weighted": say("weighted", "重みつき"),
        "smooth": say("smoothed", "平滑化"),
    }


def _scores(say: Say, numbers: dict[str, Number]) -> Figure:
    made, (axes,) = drawing.figure(height=2.5)
    labels = (say("always N", "つねにN"), *_names(say).values())
    shown = (
        ("accuracy", say("accuracy", "正解率"), drawing.GREY),
        ("f1", say("macro-F1", "マクロF1"), drawing.BLUE),
        ("se", say("S and V found", "見つけたSとV"), drawing.VERMILION),
    )
    for offset, (key, label, colour) in enumerate(shown):
        always = {"accuracy": numbers["normal"], "f1": numbers["normal_f1"], "se": 0.0}[key]
        heights = [float(always), *(float(numbers[f"{way}_{key}"]) for way in WAYS)]
        drawn = axes.bar(np.arange(5) + 0.28 * offset, heights, 0.26, color=colour, label=label)
        axes.bar_label(drawn, [f"{height:.2f}" for height in heights], fontsize=7)
    axes.set_xticks(np.arange(5) + 0.28, labels)
    axes.set(ylim=(0, 1.3), yticks=(0, 0.5, 1))
    axes.legend(ncols=3, loc="upper left")
    return made


def _reliability(say: Say, tables: dict[str, NDArray[np.float64]]) -> Figure:
    made, (axes,) = drawing.figure(height=2.7)
    axes.plot((0.3, 1), (0.3, 1), color=drawing.GREY, linewidth=0.8, linestyle=":")
    for (name, label), colour, marker in zip(_names(say).items(), drawing.COLOURS, drawing.MARKERS, strict=False):
        axes.plot(tables[name][:, 0], tables[name][:, 1], marker=marker, markersize=4, color=colour, label=label)
    axes.set(
        xlabel=say("probability given to the named class", "答えたクラスに与えた確率"),
        ylabel=say("share that was right", "実際に正しかった割合"),
        xlim=(0.3, 1.02),
        ylim=(0, 1.05),
    )
    axes.legend(loc="lower right")
    return made


LESSON = Lesson(
    name="imbalance",
    title=Text('"Always normal" scores 99 %: rare classes', "「つねに正常」でも99 %：まれなクラス"),
    settings=Settings(),
    quick={"hearts": 16, "beats": 200, "steps": 300, "supra": 0.015, "ventricular": 0.015},
    run=run,
    records=True,
    least=4,
)
