"""The memory handed on like a ward round: carried, wiped every minute, and saved and taken up elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray

from ecg.model.network import BeatNet
from ecg.records.aami import CLASSES
from ecg.records.record import Record, pick_lead
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from trainer.lessons.frame import beats, drawing
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Text

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
AFTER: Final = 10
"""Beats after a wipe that count as "just after"."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """every: s between two wipes. wipe: the network's memory, the signal path's running values, or both.

    minutes: of the record. at: share of the record after which the patient moves to another monitor.
    """

    weights: str = "memory-gru"
    every: Annotated[float, Meta(ge=5, le=3600)] = 60.0
    wipe: Literal["network", "path", "both"] = "both"
    minutes: Annotated[float, Meta(ge=1, le=30)] = 5.0
    at: Annotated[float, Meta(gt=0, lt=1)] = 0.5


def run(settings: Settings, records: Sequence[Record], progress: Progress) -> Outcome:
    """Two beds of one record, then a patient who is moved."""
    record = records[0] if records else beats.excerpt()[0]
    rate = record.rate
    signal = record.millivolts(pick_lead(record.leads))[: round(60 * settings.minutes * rate)]
    net = beats.shipped(settings.weights)
    every = round(settings.every * rate)
    cuts = np.arange(every, len(signal), every)
    whole = _heard(signal, rate, np.zeros(0, np.int64))
    progress(0.4)
    wiped = whole if settings.wipe == "network" else _heard(signal, rate, cuts)
    progress(0.8)
    carried = _named(net, whole, np.zeros(0, np.int64))
    forgotten = _named(net, wiped, cuts if settings.wipe != "path" else np.zeros(0, np.int64))
    both, place, other = np.intersect1d(whole.index, wiped.index, return_indices=True)
    after = both >= every
    differs = carried[place].argmax(axis=1) != forgotten[other].argmax(axis=1)
    distance = np.abs(carried[place] - forgotten[other]).sum(axis=1) / 2
    since = _beats_since(both, cuts)
    fresh, settled = after & (since < AFTER), after & (since >= AFTER)
    moved = _moved(net, whole, settings.at)
    numbers: dict[str, Number] = {
        "record": record.name,
        "beats": len(whole),
        "wipes": len(cuts),
        "after": AFTER,
        "lost_beats": len(whole) - len(both),
        "differ": int((differs & after).sum()),
        "differ_share": float(differs[after].mean()) if after.any() else 0.0,
        "fresh_share": float(differs[fresh].mean()) if fresh.any() else 0.0,
        "settled_share": float(differs[settled].mean()) if settled.any() else 0.0,
        "fresh_apart": float(distance[fresh].mean()) if fresh.any() else 0.0,
        "settled_apart": float(distance[settled].mean()) if settled.any() else 0.0,
        "before_apart": float(distance[both < every - rate].max(initial=0)),
        "handover_apart": float(np.abs(moved - carried).max()),
        "memory_bytes": int(net.empty_memory(1).nbytes),
    }
    claims = {
        "alike": float(numbers["before_apart"]) < 1e-5,
        "forgets": int(numbers["differ"]) > 0,
        "worst_after": float(numbers["fresh_apart"]) > 1.5 * float(numbers["settled_apart"]),
        "handed_on": float(numbers["handover_apart"]) < 1e-5,
    }
    return Outcome(
        numbers=numbers,
        claims=claims,
        draw=lambda say: [
            _strip(say, record, signal, both, carried[place], forgotten[other], cuts, differs & after),
            _since(say, since[after], distance[after]),
        ],
    )


def _heard(signal: Floats, rate: float, cuts: Ints) -> Beats:
    """The beats of a signal whose bed is reset at these samples."""
    path, slots, parts, begin = SignalPath(1), np.zeros(1, np.int64), [], 0
    for end in (*cuts, len(signal)):
        path.reset(slots, np.array([rate]), np.array([begin]))
        parts += [path.step(slots, [signal[begin:end]]), path.finish(slots)]
        begin = int(end)
    return Beats.join(parts)


@torch.no_grad()
def _named(net: BeatNet, found: Beats, cuts: Ints) -> Floats:
    """Probabilities [n, 5]; the network's memory is emptied at these samples."""
    memory = net.empty_memory(1)
    parts = []
    for piece in np.split(np.arange(len(found)), np.searchsorted(found.index, cuts)):
        if len(piece):
            windows, features = (torch.from_numpy(values[piece])[None] for values in (found.windows, found.features))
            logits, _ = net.sequence(windows, features, memory)
            parts.append(torch.softmax(logits[0], dim=-1).numpy())
    return np.concatenate(parts)


@torch.no_grad()
def _moved(net: BeatNet, found: Beats, share: float) -> Floats:
    """Probabilities [n, 5] where the memory travels, as bytes, from one monitor to another."""
    windows, features = torch.from_numpy(found.windows)[None], torch.from_numpy(found.features)[None]
    middle = max(round(share * len(found)), 1)
    first, memory = net.sequence(windows[:, :middle], features[:, :middle], net.empty_memory(1))
    letter = memory.numpy().tobytes()
    taken_up = torch.frombuffer(bytearray(letter), dtype=torch.float32).reshape(memory.shape)
    second, _ = net.sequence(windows[:, middle:], features[:, middle:], taken_up)
    return np.asarray(torch.softmax(torch.cat((first, second), dim=1)[0], dim=-1).numpy())


def _beats_since(index: Ints, cuts: Ints) -> Ints:
    """Beats since the last wipe: int64 [n]."""
    group = np.searchsorted(cuts, index, side="right")
    return np.arange(len(index)) - np.searchsorted(group, group)


def _strip(
    say: Say,
    record: Record,
    signal: Floats,
    index: Ints,
    carried: Floats,
    forgotten: Floats,
    cuts: Ints,
    differs: NDArray[np.bool_],
) -> Figure:
    """The strip after the wipe with the most differences, with both verdicts."""
    made, (axes,) = drawing.figure(height=2.6)
    rate = record.rate
    counts = [int(differs[(index >= cut) & (index < cut + 8 * rate)].sum()) for cut in cuts] or [0]
    begin = int(cuts[int(np.argmax(counts))]) if len(cuts) else 0
    first, last = max(begin - round(2 * rate), 0), min(begin + round(8 * rate), len(signal))
    strip = signal[first:last] - np.median(signal[first:last])
    axes.plot(np.arange(first, last) / rate, strip, color=drawing.BLACK, linewidth=0.9)
    top = float(strip.max())
    for at in np.flatnonzero((index >= first) & (index < last)):
        for given, height in ((carried, 1.3), (forgotten, 1.1)):
            letter = CLASSES[int(given[at].argmax())]
            colour, size = (drawing.VERMILION, 12) if differs[at] else (drawing.GREY, 9)
            axes.text(index[at] / rate, top * height, letter, ha="center", color=colour, fontsize=size)
    axes.axvline(begin / rate, color=drawing.BLUE, linestyle="--", linewidth=1)
    axes.set(
        title=say(
            "letters above: memory carried; below: wiped at the dashed line", "上段：記憶を継続、下段：破線で消去"
        ),
        xlabel=say("time (s)", "時間（秒）"),
        ylabel="mV",
        ylim=(float(strip.min()) * 1.1, top * 1.5),
    )
    return made


def _since(say: Say, since: Ints, distance: Floats) -> Figure:
    made, (axes,) = drawing.figure(height=2.0)
    most = min(int(since.max(initial=0)) + 1, 100)
    edges = np.arange(0, most + 5, 5)
    groups = ((since >= first) & (since < first + 5) for first in edges[:-1])
    means = [float(distance[group].mean()) for group in groups if group.any()]
    axes.bar(edges[: len(means)] + 2.5, means, 4.4, color=drawing.BLUE)
    axes.set(
        xlabel=say("beats since the memory was wiped", "記憶を消してからの拍動数"),
        ylabel=say("difference of\nprobabilities", "確率の差"),
    )
    return made


LESSON = Lesson(
    name="handover",
    title=Text("The ward round: a memory handed on", "申し送り：記憶を引き継ぐ"),
    settings=Settings(),
    quick={"minutes": 3},
    run=run,
    records=True,
)
