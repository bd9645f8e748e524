"""The falling line, not the value: alarms on a limit, on a change, and by a GRU on simulated courses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from ecg.trends import change
from trainer.lessons.frame import drawing, learning
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text

Floats = NDArray[np.float32]
Count = Annotated[int, Meta(ge=1, le=100_000)]
MINUTES: Final = 5
"""min between two values."""
HOUR: Final = 60 // MINUTES
WAYS: Final = ("value", "change", "gru")
LEVELS: Final = 200
"""Thresholds tried for each way of alarming."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """courses: simulated for the fit, and as many for the test. hours: of each. decline: h that a decline takes.

    spread: mmHg, of the patients' own usual pressures. noise: mmHg. false_a_day: false alarms a day that every way of
    alarming is allowed. window: h, of the change.
    """

    courses: Annotated[int, Meta(ge=20, le=5000)] = 300
    hours: Annotated[int, Meta(ge=8, le=96)] = 24
    decline: Annotated[float, Meta(ge=1, le=24)] = 6.0
    spread: Annotated[float, Meta(ge=0, le=50)] = 12.0
    noise: Annotated[float, Meta(ge=0, le=50)] = 4.0
    false_a_day: Annotated[float, Meta(gt=0, le=100)] = 0.5
    window: Annotated[float, Meta(ge=0.5, le=12)] = 2.0
    hidden: Annotated[int, Meta(ge=1, le=256)] = 16
    steps: Count = 400
    seed: Seed = 0


@dataclass(frozen=True, slots=True)
class Courses:
    """Simulated courses. signs: [n, steps, 3]: heart rate (1/min), its variability (ms), mean pressure (mmHg).

    shock: [n] the step at which the pressure has fallen by 30 mmHg, -1 for a patient who stays well. begin: [n] the
    step at which the decline begins, -1 likewise.
    """

    signs: Floats
    shock: NDArray[np.int64]
    begin: NDArray[np.int64]


def courses(settings: Settings, rng: np.random.Generator) -> Courses:
    """Half of the patients decline: heart rate rises and its variability falls at once, the pressure later.

    All of them have quiet ups and downs, and short dips of pressure that mean nothing.
    """
    count, steps = settings.courses, settings.hours * HOUR
    ill = rng.random(count) < 0.5
    length = settings.decline * HOUR
    begin = rng.integers(3 * HOUR, max(int(steps - length), 3 * HOUR + 1), count)
    time = np.arange(steps)
    done = np.clip((time - begin[:, None]) / length, 0, 1) * ill[:, None]
    usual = rng.normal(88, settings.spread, (count, 1))
    dips = np.zeros((count, steps))
    for row in range(count):
        for at in rng.integers(0, steps, rng.poisson(settings.hours / 8)):
            dips[row, at : at + int(rng.integers(2, 6))] -= rng.uniform(10, 28)
    pressure = usual - 30 * done**2 + dips + _wander(rng, count, steps, 3.0) + rng.normal(0, settings.noise, done.shape)
    rate = rng.normal(78, 9, (count, 1)) + 22 * done + _wander(rng, count, steps, 4.0) + rng.normal(0, 2, done.shape)
    hrv = rng.uniform(25, 60, (count, 1)) * (1 - 0.5 * done) * np.exp(rng.normal(0, 0.12, done.shape))
    shock = np.where(ill, np.minimum(begin + round(length), steps - 1), -1)
    return Courses(np.stack((rate, hrv, pressure), axis=2).astype(np.float32), shock, np.where(ill, begin, -1))


def _wander(rng: np.random.Generator, count: int, steps: int, size: float) -> NDArray[np.float64]:
    """Slow ups and downs over about two hours: [count, steps]."""
    rough = rng.normal(0, 1, (count, steps + 4 * HOUR))
    kernel = np.hanning(2 * HOUR)
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, rough)[:, :steps]
    return np.asarray(size * smooth / smooth.std())


def inputs(one: Courses) -> Tensor:
    """Signs in units that a network likes: float32 [n, steps, 3]."""
    return torch.from_numpy((one.signs - np.array((78, 40, 88), np.float32)) / np.array((15, 20, 15), np.float32))


def danger(one: Courses, window: int) -> dict[str, Floats]:
    """How alarming each rule finds each moment: [n, steps]. value: low pressure. change: fall within `window` steps.

    The change is that of the mean over half an hour.
    """
    pressure = one.signs[..., 2]
    return {"value": -pressure, "change": -change(pressure, HOUR // 2, window)}


def crossings(over: NDArray[np.bool_], one: Courses) -> float:
    """False alarms a day: crossings of the threshold before a decline begins, or where there is none."""
    time = np.arange(over.shape[1])
    well = (one.begin[:, None] < 0) | (time < one.begin[:, None])
    crossing = over & ~np.concatenate((np.zeros((len(over), 1), bool), over[:, :-1]), axis=1)
    return float((crossing & well).sum() / (well.sum() * MINUTES / 1440))


def threshold(alarming: Floats, one: Courses, allowed: float) -> float:
    """The lowest threshold with at most `allowed` false alarms a day, above the median of all moments."""
    levels = np.quantile(alarming, 1 - np.geomspace(0.5, 1e-5, LEVELS))
    fine = (float(level) for level in levels if crossings(alarming >= level, one) <= allowed)
    return next(fine, float(levels[-1]))


def judge(over: NDArray[np.bool_], one: Courses) -> tuple[float, float, float]:
    """Median lead time before the shock (h), share of declines found before it, and false alarms a day.

    A decline that is not found has a lead of 0.
    """
    lead = []
    for row in np.flatnonzero(one.shock >= 0):
        inside = np.flatnonzero(over[row, one.begin[row] : one.shock[row]])
        lead.append((one.shock[row] - one.begin[row] - inside[0]) / HOUR if len(inside) else 0.0)
    return float(np.median(lead)), float((np.array(lead) > 0).mean()), crossings(over, one)


def run(settings: Settings, _records: Sequence[Record], progress: Progress) -> Outcome:
    """Three ways of alarming at the same rate of false alarms."""
    if settings.window >= settings.hours:
        raise UserError(f"window={settings.window:g}: a change takes less than the {settings.hours} h of a course")
    rng = np.random.default_rng(settings.seed)
    learn, test = courses(settings, rng), courses(settings, rng)
    net = learning.seeded(settings.seed, lambda: learning.EveryStep("gru", 3, settings.hidden, 1))
    learning.fit(
        net,
        (inputs(learn),),
        _soon(learn),
        steps=settings.steps,
        seed=settings.seed,
        batch=16,
        rate=1e-2,
        loss=lambda told, soon: F.binary_cross_entropy_with_logits(told[..., 0], soon),
        progress=progress,
    )
    window = round(settings.window * HOUR)
    before = danger(learn, window) | {"gru": _told(net, learn)}
    alarming = danger(test, window) | {"gru": _told(net, test)}
    numbers: dict[str, Number] = {"ill": int((test.shock >= 0).sum())}
    for name in WAYS:
        level = threshold(before[name], learn, settings.false_a_day)
        found = judge(alarming[name] >= level, test)
        numbers[f"{name}_lead"], numbers[f"{name}_found"], numbers[f"{name}_false"] = found
    value = {key: float(number) for key, number in numbers.items()}
    claims = {
        "change": value["change_lead"] > value["value_lead"] + 0.25,
        "gru": value["gru_lead"] > max(value["value_lead"], value["change_lead"]) + 0.5,
        "honest": all(value[f"{name}_false"] <= 1.5 * settings.false_a_day for name in WAYS),
    }
    return Outcome(
        numbers=numbers, claims=claims, draw=lambda say: [_course(say, test, alarming), _leads(say, numbers)]
    )


def _told(net: torch.nn.Module, one: Courses) -> Floats:
    """How near a GRU thinks a decline, at each moment: [n, steps]."""
    found: Floats = learning.outputs(net, (inputs(one),))[..., 0].numpy()
    return found


def _soon(one: Courses) -> Tensor:
    """1 from the beginning of a decline on, else 0: float32 [n, steps]."""
    time = np.arange(one.signs.shape[1])
    return torch.from_numpy(((one.begin[:, None] >= 0) & (time >= one.begin[:, None])).astype(np.float32))


def _course(say: Say, one: Courses, alarming: dict[str, Floats]) -> Figure:
    """The signs of a patient who declines, and how the GRU leans."""
    row = int(np.flatnonzero(one.shock >= 0)[0])
    hours = np.arange(one.signs.shape[1]) / HOUR
    made, (top, bottom) = drawing.figure(2, 1, 3.4, sharex=True, height_ratios=(2, 1))
    names = (
        say("heart rate (/min)", "心拍数 (/分)"),
        say("variability (ms)", "心拍変動 (ms)"),
        say("pressure (mmHg)", "血圧 (mmHg)"),
    )
    for column, (name, colour) in enumerate(zip(names, (drawing.GREEN, drawing.GREY, drawing.VERMILION), strict=True)):
        top.plot(hours, one.signs[row, :, column], color=colour, label=name, linewidth=1)
    top.legend(ncols=3, fontsize=8, loc="upper left")
    top.set(ylim=(0, 150))
    bottom.plot(hours, 1 / (1 + np.exp(-alarming["gru"][row])), color=drawing.BLUE)
    bottom.set(ylabel=say("GRU: decline?", "GRU：悪化？"), xlabel=say("time (h)", "時間（時）"), ylim=(0, 1))
    for axes in (top, bottom):
        axes.axvspan(one.begin[row] / HOUR, one.shock[row] / HOUR, color=drawing.ORANGE, alpha=0.2)
    return made


def _leads(say: Say, numbers: dict[str, Number]) -> Figure:
    made, (left, right) = drawing.figure(1, 2, 2.2)
    labels = (say("value", "値"), say("change", "変化"), "GRU")
    drawing.bars(left, labels, [float(numbers[f"{name}_lead"]) for name in WAYS], shown="{:.1f}")
    left.set(title=say("median lead time (h)", "先行時間の中央値（時）"))
    drawing.bars(right, labels, [float(numbers[f"{name}_found"]) for name in WAYS], top=1.15)
    right.set(title=say("declines found before the shock", "ショック前に見つけた割合"))
    return made


LESSON = Lesson(
    name="trend",
    title=Text("The falling line, not the value", "値ではなく、下がる線を見る"),
    settings=Settings(),
    quick={"courses": 120, "steps": 50, "hours": 18},
    run=run,
)
