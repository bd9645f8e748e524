"""The RNN's one line, h_t = tanh(W h + U x + b), computed by hand on a real strip beside torch's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Record, pick_lead
from trainer.lessons.frame import drawing
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Text

Floats = NDArray[np.float64]
Weight = Annotated[float, Meta(ge=-3, le=3)]
ROWS: Final = 8
"""Steps in the table of the page."""
TRACE: Final = 0.05
"""The share of an impulse that still counts as remembered."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """keep_1, keep_2: the weight with which each unit hands its own value on. pass_on: of unit 1 in unit 2.

    begin: s, of the strip. every: samples between two steps.
    """

    keep_1: Weight = 0.2
    keep_2: Weight = 0.95
    pass_on: Weight = 0.4
    begin: Annotated[float, Meta(ge=0, le=200)] = 20.0
    seconds: Annotated[float, Meta(ge=1, le=60)] = 6.0
    every: Annotated[int, Meta(ge=1, le=36)] = 6


def by_hand(inputs: Floats, carry: Floats, take: Floats, bias: Floats) -> Floats:
    """The hidden state after each step. inputs: [n, in]. carry: W [units, units]. take: U [units, in]. [n, units]."""
    hidden = np.zeros(len(bias))
    found = []
    for x in inputs:
        hidden = np.tanh(carry @ hidden + take @ x + bias)
        found.append(hidden)
    return np.array(found)


def by_torch(inputs: Floats, carry: Floats, take: Floats, bias: Floats) -> Floats:
    """The same by torch.nn.RNN."""
    net = torch.nn.RNN(take.shape[1], len(bias), dtype=torch.float64)
    with torch.no_grad():
        net.get_parameter("weight_hh_l0").copy_(torch.from_numpy(carry))
        net.get_parameter("weight_ih_l0").copy_(torch.from_numpy(take))
        net.get_parameter("bias_ih_l0").copy_(torch.from_numpy(bias))
        net.get_parameter("bias_hh_l0").zero_()
        return np.asarray(net(torch.from_numpy(inputs))[0].numpy())


def span(response: Floats) -> int:
    """Steps until an impulse response has fallen below TRACE of its largest value for good."""
    loud = np.flatnonzero(np.abs(response) > TRACE * np.abs(response).max())
    return int(loud[-1] - np.abs(response).argmax())


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """Two units along a strip, and after a single impulse."""
    record = records[0] if records else library.read(library.EXCERPT)
    rate = record.rate / settings.every
    if settings.begin + settings.seconds > record.seconds:
        raise UserError(f"begin={settings.begin:g}: record {record.name} lasts {record.seconds:.0f} s")
    first = round(settings.begin * record.rate)
    strip = record.millivolts(pick_lead(record.leads))[first:][: round(settings.seconds * record.rate)]
    strip = lfilter(*butter(1, 0.7, "highpass", fs=record.rate), strip - strip[0])[:: settings.every]
    carry = np.array([[settings.keep_1, 0.0], [settings.pass_on, settings.keep_2]])
    take, bias = np.array([[1.0], [0.0]]), np.zeros(2)
    hidden = by_hand(strip[:, None], carry, take, bias)
    apart = float(np.abs(hidden - by_torch(strip[:, None], carry, take, bias)).max())
    progress(0.6)
    impulse = np.zeros((200, 1))
    impulse[0] = 0.1
    echo = by_hand(impulse, carry, take, bias)
    spans = [span(echo[:, unit]) for unit in range(2)]
    peak = int(np.abs(strip).argmax())
    table = [
        f"| {t} | {strip[t]:.3f} | {hidden[t - 1, 0] if t else 0:.3f} | {hidden[t, 0]:.3f} | {hidden[t, 1]:.3f} |"
        for t in range(max(peak - 2, 0), min(max(peak - 2, 0) + ROWS, len(strip)))
    ]
    numbers: dict[str, Number] = {
        "record": record.name,
        "count": len(strip),
        "step_ms": 1000 / rate,
        "apart": apart,
        "span_1_ms": 1000 * spans[0] / rate,
        "span_2_ms": 1000 * spans[1] / rate,
        "table": "\n".join(table),
    }
    claims = {"same": apart < 1e-6, "longer": spans[1] > 3 * spans[0]}
    return Outcome(
        numbers=numbers, claims=claims, draw=lambda say: [_strip(say, strip, hidden, rate), _echo(say, echo, rate)]
    )


def _strip(say: Say, strip: Floats, hidden: Floats, rate: float) -> Figure:
    made, (top, bottom) = drawing.figure(2, 1, 3.2, sharex=True)
    seconds = np.arange(len(strip)) / rate
    top.plot(seconds, strip, color=drawing.BLACK, linewidth=1)
    top.set(ylabel=say("ECG (mV)", "心電図 (mV)"))
    bottom.plot(seconds, hidden[:, 0], color=drawing.BLUE, linewidth=1, label=say("unit 1: now", "ユニット1：今"))
    bottom.plot(seconds, hidden[:, 1], color=drawing.VERMILION, label=say("unit 2: the past", "ユニット2：過去"))
    bottom.set(xlabel=say("time (s)", "時間（秒）"), ylabel=say("hidden state", "隠れ状態"))
    bottom.legend(loc="lower right", ncols=2, fontsize=8)
    return made


def _echo(say: Say, echo: Floats, rate: float) -> Figure:
    made, (axes,) = drawing.figure(height=2.0)
    seconds = np.arange(len(echo)) / rate
    for unit, colour in ((0, drawing.BLUE), (1, drawing.VERMILION)):
        axes.plot(seconds, echo[:, unit] / np.abs(echo[:, unit]).max(), color=colour, label=f"h{unit + 1}")
    axes.set(
        xlabel=say("time after one sample of signal (s)", "1サンプルの入力からの時間（秒）"),
        ylabel=say("what is left of it", "残りの割合"),
        xlim=(0, min(2.0, seconds[-1])),
    )
    axes.legend()
    return made


LESSON = Lesson(
    name="rnn",
    title=Text("The bucket brigade: an RNN by hand", "バケツリレー：RNNを手で計算する"),
    settings=Settings(),
    quick={},
    run=run,
    records=True,
)
