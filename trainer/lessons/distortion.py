"""The Kaggle row beside the beat it came from: what cutting and scaling took away, given back step by step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from scipy.signal import resample
from torch import Tensor
from torch.nn import functional

from ecg.model.lecture import ROW_LENGTH
from ecg.records.record import Record, pick_lead
from ecg.signal.path import MODEL_RATE
from trainer.data.cutting import reference_of
from trainer.data.rows import rows_of
from trainer.lessons.frame import beats, drawing, hearts, learning
from trainer.lessons.frame.beats import NSV
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Floats = NDArray[np.float32]
Count = Annotated[int, Meta(ge=1, le=100_000)]
STAGES: Final = ("row", "size", "p_wave", "rr", "usual")
BEFORE: Final = 0.25
"""s of signal given back before the R-peak: the room of the P wave."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """hearts, beats: simulated, beats of each; with --records: beats of each record. shown: beat of the figure."""

    hearts: Annotated[int, Meta(ge=4, le=500)] = 24
    beats: Annotated[int, Meta(ge=64, le=4000)] = 200
    hidden: Annotated[int, Meta(ge=1, le=512)] = 48
    steps: Count = 500
    repeats: Annotated[int, Meta(ge=1, le=20)] = 3
    shown: Annotated[int, Meta(ge=3, le=60)] = 12
    seed: Seed = 0


def at_model_rate(record: Record) -> Floats:
    """A lead at 125 Hz, its median at 0: float32 [n], mV."""
    signal = record.millivolts(pick_lead(record.leads))
    made = resample(signal - np.median(signal), round(len(signal) * MODEL_RATE / record.rate))
    return np.asarray(made, np.float32)


def stages(record: Record) -> tuple[dict[str, Floats], NDArray[np.int64]]:
    """The beats of a record under each stage, [n, inputs], and their classes [n]: N, S and V alone.

    row: as published. size: the same span in the patient's own beat sizes, not scaled beat by beat, nor padded.
    p_wave: and the signal before the R-peak. rr: and the RR interval before, in s. usual: and that interval against the
    mean of the last eight.
    """
    rows = rows_of(record)
    reference = reference_of(record)
    index = reference.index[:-1]
    signal = at_model_rate(record)
    at = np.rint(index * MODEL_RATE / record.rate).astype(np.int64)
    before = round(BEFORE * MODEL_RATE)
    padded = np.pad(signal, (before, ROW_LENGTH), mode="edge")
    spans = np.stack([padded[place : place + before + ROW_LENGTH] for place in at])
    spans = spans / np.median(np.ptp(spans[:, before - 12 : before + 13], axis=1))
    gaps = np.diff(index, prepend=index[:1]) / record.rate
    gaps[0] = gaps[1]
    logs = np.log(np.clip(gaps, 0.2, 4))
    means = np.array([logs[max(i - 8, 0) : max(i, 1)].mean() for i in range(len(logs))])
    rr = np.stack((4 * logs + 1, 4 * (logs - means)), axis=1).astype(np.float32)
    made = {
        "row": 2 * rows.values - 1,
        "size": spans[:, before:],
        "p_wave": spans,
        "rr": np.concatenate((spans, rr[:, :1]), axis=1),
        "usual": np.concatenate((spans, rr), axis=1),
    }
    kept = np.flatnonzero(rows.classes < len(NSV))
    return {name: values[kept].astype(np.float32) for name, values in made.items()}, rows.classes[kept]


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """The same small network at each stage, on patients it has never seen."""
    given = list(records) or hearts.ward(settings.hearts, settings.beats, settings.seed)
    cut = [stages(one) for one in given]
    most = settings.beats
    patient = np.concatenate([np.full(len(classes[:most]), number) for number, (_, classes) in enumerate(cut)])
    classes = np.concatenate([classes[:most] for _, classes in cut])
    scores: dict[str, list[float]] = {name: [] for name in STAGES}
    supra: dict[str, list[float]] = {name: [] for name in STAGES}
    for repeat in range(settings.repeats):
        rng = np.random.default_rng(settings.seed + repeat)
        train = np.isin(patient, rng.permutation(len(cut))[: (len(cut) + 1) // 2])
        for place, name in enumerate(STAGES):
            values = torch.from_numpy(np.concatenate([parts[name][:most] for parts, _ in cut]))
            done = (repeat * len(STAGES) + place) / (settings.repeats * len(STAGES))
            net = learning.seeded(repeat, partial(learning.mlp, values.shape[1], settings.hidden, 3))
            learning.fit(
                net,
                (values[train],),
                torch.from_numpy(classes[train]),
                steps=settings.steps,
                seed=repeat,
                decay=3e-2,
                loss=_loss,
                progress=part(progress, done, done + 1 / (settings.repeats * len(STAGES))),
            )
            said = learning.said(net, (values[~train],))
            scores[name].append(learning.macro_f1(classes[~train], said, 3))
            s_known, s_said = classes[~train] == 1, said == 1
            supra[name].append(2 * float((s_known & s_said).sum()) / max(float(s_known.sum() + s_said.sum()), 1.0))
    numbers: dict[str, Number] = {name: float(np.mean(values)) for name, values in scores.items()}
    numbers |= {f"{name}_s": float(np.mean(values)) for name, values in supra.items()}
    numbers |= {"patients": len(cut), "before_ms": 1000 * BEFORE}
    excerpt, found = beats.excerpt()
    claims = {
        "size": float(numbers["size"]) - float(numbers["row"])
        < 0.5 * (float(numbers["p_wave"]) - float(numbers["size"])),
        "p_wave": float(numbers["p_wave_s"]) > float(numbers["size_s"]) + 0.02,
        "rr": float(numbers["rr_s"]) > float(numbers["p_wave_s"]) + 0.02,
        "usual": float(numbers["usual_s"]) > float(numbers["rr_s"]) + 0.1,
    }
    return Outcome(
        numbers=numbers,
        claims=claims,
        draw=lambda say: [_beside(say, excerpt, found.index, settings.shown), _ladder(say, numbers)],
    )


def _loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy; the rare S and V count three times."""
    return functional.cross_entropy(logits, classes, torch.tensor([1.0, 3.0, 3.0]))


def _beside(say: Say, record: Record, index: NDArray[np.int64], shown: int) -> Figure:
    """A beat of the excerpt in its strip, and as a row."""
    made, (left, right) = drawing.figure(1, 2, 2.5, width_ratios=(3, 2))
    signal, rate = record.millivolts(0), record.rate
    peaks = index[shown - 2 : shown + 4]
    first, last = int(peaks[0] - 0.3 * rate), int(peaks[-1] + 0.4 * rate)
    left.plot(np.arange(first, last) / rate, signal[first:last], color=drawing.BLACK, linewidth=0.9)
    rr = float(np.median(np.diff(index[max(shown - 5, 0) : shown + 6]))) / rate
    begin = index[shown] / rate
    left.axvspan(begin, begin + 1.2 * rr, color=drawing.ORANGE, alpha=0.3)
    left.axvspan(begin - BEFORE, begin, color=drawing.BLUE, alpha=0.3)
    left.set(
        title=say("the strip: orange is kept, blue (P wave) is cut off", "波形：橙は残り、青（P波）は切り捨てられる"),
        xlabel=say("time (s)", "時間（秒）"),
        ylabel="mV",
    )
    length = min(round(1.2 * rr * MODEL_RATE), ROW_LENGTH)
    part_of = resample(signal[index[shown] : index[shown] + round(1.2 * rr * rate)], length)
    row = np.zeros(ROW_LENGTH)
    row[:length] = (part_of - part_of.min()) / np.ptp(part_of)
    right.plot(row, color=drawing.VERMILION, linewidth=1)
    right.set(
        title=say("the row: 0 to 1, padded with zeros", "行：0〜1に伸縮し、零で埋める"),
        xlabel=say("sample", "サンプル"),
    )
    return made


def _ladder(say: Say, numbers: dict[str, Number]) -> Figure:
    made, (axes,) = drawing.figure(height=2.5)
    labels = (
        say("the row", "行のまま"),
        say("+ true size", "＋本来の大きさ"),
        say("+ P wave", "＋P波"),
        say("+ RR interval", "＋RR間隔"),
        say("+ patient's\nown rhythm", "＋患者自身の\nリズム"),
    )
    for offset, (tail, label, colour) in enumerate(
        (
            ("", say("macro-F1 of N, S, V", "N, S, VのマクロF1"), drawing.BLUE),
            ("_s", say("F1 of S", "SのF1"), drawing.ORANGE),
        )
    ):
        heights = [float(numbers[f"{name}{tail}"]) for name in STAGES]
        drawn = axes.bar(np.arange(len(STAGES)) + 0.4 * offset, heights, 0.38, color=colour, label=label)
        axes.bar_label(drawn, [f"{height:.2f}" for height in heights], fontsize=8)
    axes.set_xticks(np.arange(len(STAGES)) + 0.2, labels)
    axes.set(ylim=(0, 1.15))
    axes.legend(loc="upper left", ncols=2)
    return made


LESSON = Lesson(
    name="distortion",
    title=Text("A distorted world: the row and the beat it came from", "歪んだ世界：行と、もとの拍動"),
    settings=Settings(),
    quick={"hearts": 14, "beats": 120, "steps": 200, "repeats": 1},
    run=run,
    records=True,
    least=4,
)
