"""The gates of an LSTM along a real strip: what the shipped rhythm memory writes, keeps and shows at each beat."""

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

from ecg.model.network import BeatNet
from ecg.records.aami import CLASSES
from ecg.records.record import Record, pick_lead
from trainer.lessons.frame import beats, drawing
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Text

Floats = NDArray[np.float32]
Gate = Annotated[float, Meta(ge=0, le=1)]
FORCED: Final = (("forget_shut", "forget", 0.0), ("forget_open", "forget", 1.0), ("input_shut", "input", 0.0))
SETTLED: Final = 30
"""Beats after which the memory is no longer new."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """weights: shipped ones whose cell is an LSTM. begin, seconds: of the strip that is drawn. most: beats read."""

    weights: str = "memory-lstm"
    begin: Annotated[float, Meta(ge=0, le=1800)] = 62.0
    seconds: Annotated[float, Meta(ge=2, le=60)] = 10.0
    most: Annotated[int, Meta(ge=100, le=5000)] = 600


@dataclass(frozen=True, slots=True)
class Trace:
    """The cell along n beats: each gate and the cell [n, hidden], and the probabilities [n, 5]."""

    gates: dict[str, Floats]
    cell: Floats
    given: Floats


@torch.no_grad()
def walk(net: BeatNet, inputs: Tensor, force: dict[str, float] | None = None) -> Trace:
    """The LSTM's own equations, beat by beat. inputs: [n, width]. force: gates held at a value."""
    memory, size = net.memory, net.shape.memory
    hidden, cell = torch.zeros(size), torch.zeros(size)
    gates: dict[str, list[Tensor]] = {"input": [], "forget": [], "output": []}
    cells, given = [], []
    bias = memory.bias_ih_l0 + memory.bias_hh_l0
    for read in inputs @ memory.weight_ih_l0.T + bias:
        enter, keep, new, show = (read + memory.weight_hh_l0 @ hidden).chunk(4)
        opened = {"input": enter.sigmoid(), "forget": keep.sigmoid(), "output": show.sigmoid()}
        for name, value in (force or {}).items():
            opened[name] = torch.full_like(cell, value)
        cell = opened["forget"] * cell + opened["input"] * new.tanh()
        hidden = opened["output"] * cell.tanh()
        for name, value in opened.items():
            gates[name].append(value)
        cells.append(cell)
        given.append(hidden)
    logits = net.head(torch.cat((torch.stack(given), inputs), dim=-1))
    return Trace(
        {name: torch.stack(values).numpy() for name, values in gates.items()},
        torch.stack(cells).numpy(),
        torch.softmax(logits, dim=-1).numpy(),
    )


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """The shipped LSTM along the excerpt, or along the first record given; its gates open, and forced."""
    record, found = (records[0], beats.heard(records[0])) if records else beats.excerpt()
    found = found.take(np.arange(min(settings.most, len(found))))
    net = beats.shipped_lstm(settings.weights)
    with torch.no_grad():
        read = net.read(torch.from_numpy(found.windows))
        inputs = torch.cat((read, torch.from_numpy(found.features)), dim=-1)
    free = walk(net, inputs)
    progress(0.4)
    apart = float(np.abs(free.given - beats.named(net, found)).max())
    classes = free.given.argmax(axis=1)
    moved = np.linalg.norm(np.diff(free.cell, axis=0, prepend=0), axis=1)
    settled = np.arange(len(classes)) >= SETTLED
    numbers: dict[str, Number] = {"record": record.name, "beats": len(classes), "apart": apart, "settled": SETTLED}
    for name in "NV":
        here = settled & (classes == CLASSES.index(name))
        numbers[f"count_{name}"] = int(here.sum())
        for gate, values in free.gates.items():
            numbers[f"{gate}_{name}"] = float(values[here].mean()) if here.any() else float("nan")
        numbers[f"moved_{name}"] = float(moved[here].mean()) if here.any() else float("nan")
    kept = free.gates["forget"][settled].mean(axis=0)
    half = np.log(0.5) / np.log(np.clip(kept, 1e-6, 1 - 1e-6))
    numbers |= {"units": len(kept), "half_median": float(np.median(half)), "half_longest": float(half.max())}
    for place, (name, gate, value) in enumerate(FORCED):
        forced = walk(net, inputs, {gate: value})
        numbers[f"{name}_changed"] = int((forced.given.argmax(axis=1) != classes).sum())
        numbers[f"{name}_cell"] = float(np.abs(forced.cell).max())
        progress(0.4 + 0.2 * (place + 1))
    numbers["free_cell"] = float(np.abs(free.cell).max())
    claims = {
        "same": apart < 1e-5,
        "moves": float(numbers["moved_V"]) > 1.3 * float(numbers["moved_N"]),
        "lets_go": float(numbers["forget_V"]) < float(numbers["forget_N"]) - 0.02,
        "writes_more": float(numbers["input_V"]) > float(numbers["input_N"]) + 0.02,
        "needed": int(numbers["forget_shut_changed"]) > 0.02 * len(classes),
        "drowns": float(numbers["forget_open_cell"]) > 5 * float(numbers["free_cell"]),
    }
    return Outcome(
        numbers=numbers,
        claims=claims,
        draw=lambda say: [_strip(say, settings, record, found.index, classes, free, moved), _means(say, numbers)],
    )


def _strip(
    say: Say,
    settings: Settings,
    record: Record,
    index: NDArray[np.int64],
    classes: NDArray[np.int64],
    free: Trace,
    moved: Floats,
) -> Figure:
    made, (top, middle, bottom) = drawing.figure(3, 1, 4.6, sharex=True, height_ratios=(2, 2, 2))
    signal = record.millivolts(pick_lead(record.leads))
    last = min(settings.begin + settings.seconds, record.seconds)
    first = last - settings.seconds
    span = slice(round(first * record.rate), round(last * record.rate))
    part = signal[span] - np.median(signal[span])
    top.plot(np.arange(len(part)) / record.rate + first, part, color=drawing.BLACK, linewidth=0.9)
    top.set(ylabel=say("ECG (mV)", "心電図 (mV)"))
    seconds = index / record.rate
    here = np.flatnonzero((seconds >= first) & (seconds < last))
    for at in here:
        letter = CLASSES[classes[at]]
        top.text(seconds[at], part.max() * 1.08, letter, ha="center", color=drawing.CLASS_COLOURS[letter])
    names = (("input", say("input", "入力"), drawing.GREEN), ("forget", say("forget", "忘却"), drawing.BLUE))
    for gate, label, colour in (*names, ("output", say("output", "出力"), drawing.ORANGE)):
        middle.plot(seconds[here], free.gates[gate][here].mean(axis=1), "o-", color=colour, markersize=3, label=label)
    middle.set(ylabel=say("gate, mean", "ゲート（平均）"), ylim=(0.2, 1.0))
    middle.legend(ncols=3, loc="upper right", fontsize=8)
    colours = [drawing.CLASS_COLOURS[CLASSES[classes[at]]] for at in here]
    bottom.bar(seconds[here], moved[here], 0.15, color=colours)
    bottom.set(ylabel=say("cell moved by", "セルの変化量"), xlabel=say("time (s)", "時間（秒）"), xlim=(first, last))
    return made


def _means(say: Say, numbers: dict[str, Number]) -> Figure:
    made, (left, right) = drawing.figure(1, 2, 2.3)
    gates = (("input", say("input", "入力")), ("forget", say("forget", "忘却")), ("output", say("output", "出力")))
    for offset, name in enumerate("NV"):
        heights = [float(numbers[f"{gate}_{name}"]) for gate, _ in gates]
        drawn = left.bar(np.arange(3) + 0.4 * offset, heights, 0.38, color=drawing.CLASS_COLOURS[name], label=name)
        left.bar_label(drawn, [f"{height:.2f}" for height in heights], fontsize=8)
    left.set_xticks(np.arange(3) + 0.2, [label for _, label in gates])
    left.set(ylim=(0, 1), title=say("mean gate at N and at V beats", "N拍とV拍でのゲートの平均"))
    left.legend(ncols=2)
    names = (
        say("forget\nshut", "忘却を\n閉じる"),
        say("forget\nopen", "忘却を\n開く"),
        say("input\nshut", "入力を\n閉じる"),
    )
    drawing.bars(right, names, [float(numbers[f"{name}_changed"]) for name, _, _ in FORCED], shown="{:.0f}")
    right.set(title=say("beats that change their class", "クラスが変わった拍動の数"))
    return made


LESSON = Lesson(
    name="gates",
    title=Text("Three gates and a notebook: inside an LSTM", "三つのゲートと一冊のノート：LSTMの中身"),
    settings=Settings(),
    quick={"most": 250},
    run=run,
    records=True,
)
