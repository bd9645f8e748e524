"""The wave's continuation: the next second by small recurrent networks, beside persistence and a linear model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt
from torch.nn import functional as F

from ecg.errors import UserError
from ecg.records.record import Record, pick_lead
from trainer.lessons.frame import beats, drawing, learning
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Floats = NDArray[np.float32]
Count = Annotated[int, Meta(ge=1, le=100_000)]
RATE: Final = 50
"""Hz: enough for a continuation to look at."""
CELLS: Final = ("rnn", "lstm", "gru")


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """past, ahead: s seen, and foretold. minutes: of the record, of which the last fifth is for the test."""

    past: Annotated[float, Meta(ge=0.5, le=10)] = 2.0
    ahead: Annotated[float, Meta(ge=0.2, le=3)] = 1.0
    minutes: Annotated[float, Meta(ge=1, le=30)] = 5.0
    hidden: Annotated[int, Meta(ge=1, le=256)] = 32
    steps: Count = 350
    seed: Seed = 0


def spans(signal: Floats, past: int, ahead: int, every: int) -> tuple[Floats, Floats]:
    """Pasts [n, past] and their continuations [n, ahead], `every` samples apart."""
    whole = np.lib.stride_tricks.sliding_window_view(signal, past + ahead)[::every]
    return whole[:, :past].copy(), whole[:, past:].copy()


def linear(past: Floats, future: Floats, ridge: float = 10.0) -> NDArray[np.float64]:
    """The least squares weights of every future sample on all past ones: an autoregressive model. [past + 1, ahead]."""
    inputs = np.concatenate((past, np.ones((len(past), 1))), axis=1).astype(np.float64)
    return np.asarray(np.linalg.solve(inputs.T @ inputs + ridge * np.eye(inputs.shape[1]), inputs.T @ future))


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """Fit on the first four fifths of a record; the error on the last, by horizon."""
    record = records[0] if records else beats.excerpt()[0]
    raw = record.millivolts(pick_lead(record.leads))[: round(60 * settings.minutes * record.rate)]
    clean = sosfilt(butter(2, (0.7, 20.0), "bandpass", fs=record.rate, output="sos"), raw - raw[0])
    signal = resample_poly(clean, RATE, round(record.rate)).astype(np.float32)
    signal /= signal.std()
    past, ahead = round(settings.past * RATE), round(settings.ahead * RATE)
    edge = int(0.8 * len(signal))
    if len(signal) - edge <= past + ahead:
        raise UserError(
            f"minutes={settings.minutes:g}: the last fifth of the record must be longer than past and ahead together, "
            f"{settings.past + settings.ahead:g} s"
        )
    learn_past, learn_future = spans(signal[:edge], past, ahead, 3)
    test_past, test_future = spans(signal[edge:], past, ahead, 7)
    told: dict[str, Floats] = {
        "persistence": np.repeat(test_past[:, -1:], ahead, axis=1),
        "mean": np.zeros_like(test_future),
    }
    weight = linear(learn_past, learn_future)
    told["linear"] = (
        np.concatenate((test_past, np.ones((len(test_past), 1))), axis=1).astype(np.float64) @ weight
    ).astype(np.float32)
    inputs, targets = torch.from_numpy(learn_past)[..., None], torch.from_numpy(learn_future)
    for place, cell in enumerate(CELLS):
        net = learning.seeded(settings.seed, partial(learning.Last, cell, 1, settings.hidden, ahead))
        watched = part(progress, place / 3, (place + 1) / 3)
        learning.fit(
            net,
            (inputs,),
            targets,
            steps=settings.steps,
            seed=settings.seed,
            rate=5e-3,
            loss=F.mse_loss,
            progress=watched,
        )
        told[cell] = learning.outputs(net, (torch.from_numpy(test_past)[..., None],)).numpy()
    curves = {name: np.sqrt(((given - test_future) ** 2).mean(axis=0)) for name, given in told.items()}
    numbers: dict[str, Number] = {"record": record.name, "test_spans": len(test_past)}
    near = max(round(0.1 * RATE), 1)
    for name, curve in curves.items():
        numbers[name] = float(np.sqrt((curve**2).mean()))
        numbers[f"{name}_near"] = float(np.sqrt((curve[:near] ** 2).mean()))
        numbers[f"{name}_far"] = float(np.sqrt((curve[-near:] ** 2).mean()))
    best = min(CELLS, key=lambda cell: float(numbers[cell]))
    numbers["best"] = best.upper()
    numbers["best_error"], numbers["best_near"] = numbers[best], numbers[f"{best}_near"]
    numbers["best_far"] = numbers[f"{best}_far"]
    value = {key: float(number) for key, number in numbers.items() if not isinstance(number, str)}
    claims = {
        "persistence": value["best_error"] < 0.85 * value["persistence"],
        "linear": value["best_error"] < 0.97 * value["linear"],
        "horizon": value["best_near"] < 0.8 * value["best_far"],
        "unknowable": value["best_far"] > 0.8 * value["mean_far"],
    }
    return Outcome(
        numbers=numbers,
        claims=claims,
        draw=lambda say: [_examples(say, test_past, test_future, told, best), _curves(say, curves)],
    )


def _examples(say: Say, past: Floats, future: Floats, told: dict[str, Floats], best: str) -> Figure:
    made, axes = drawing.figure(1, 3, 2.6, sharey=True)
    errors = ((told[best] - future) ** 2).mean(axis=1)
    for one, place in zip(
        axes, np.argsort(errors)[[len(errors) // 10, len(errors) // 2, 9 * len(errors) // 10]], strict=True
    ):
        before, after = np.arange(-past.shape[1], 0) / RATE, np.arange(future.shape[1]) / RATE
        one.plot(before, past[place], color=drawing.BLACK, linewidth=1)
        one.plot(after, future[place], color=drawing.GREY, linewidth=1, label=say("what came", "実際"))
        one.plot(after, told[best][place], color=drawing.VERMILION, label=best.upper())
        one.plot(
            after, told["linear"][place], color=drawing.BLUE, linewidth=1, linestyle="--", label=say("linear", "線形")
        )
        one.set(xlabel=say("s from now", "今からの秒数"))
    made.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    axes[0].set(title=say("an easy place", "易しい所"))
    axes[1].set(title=say("a middling one", "中くらいの所"))
    axes[2].set(title=say("a hard one", "難しい所"))
    return made


def _curves(say: Say, curves: dict[str, Floats]) -> Figure:
    made, (axes,) = drawing.figure(height=2.5)
    names = {
        "persistence": say("last value goes on", "最後の値のまま"),
        "mean": say("always the mean", "つねに平均"),
        "linear": say("linear", "線形"),
        **{cell: cell.upper() for cell in CELLS},
    }
    styles = (drawing.GREY, drawing.BLACK, drawing.BLUE, drawing.ORANGE, drawing.GREEN, drawing.VERMILION)
    for (name, label), colour in zip(names.items(), styles, strict=True):
        horizon = (np.arange(len(curves[name])) + 1) / RATE
        axes.plot(horizon, curves[name], color=colour, label=label, linestyle="-" if name in CELLS else "--")
    axes.set(
        xlabel=say("s ahead", "何秒先か"), ylabel=say("error (standard deviations)", "誤差（標準偏差）"), ylim=(0, None)
    )
    axes.legend(ncols=2, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return made


LESSON = Lesson(
    name="forecast",
    title=Text("What comes next? Foretelling a second of ECG", "次に何が来るか：1秒先の心電図を予測する"),
    settings=Settings(),
    quick={"minutes": 2, "past": 1.0, "hidden": 16, "steps": 40},
    run=run,
    records=True,
)
