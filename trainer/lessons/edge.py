"""Small devices: the shipped network in eight-bit weights and as ONNX, and memories of fewer units."""

from __future__ import annotations

import io
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import torch
from matplotlib.figure import Figure
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from ecg.model.network import BeatNet
from ecg.records.record import Record
from ecg.signal.beats import Beats
from trainer.lessons.frame import beats, drawing, hearts, learning, sequences
from trainer.lessons.frame.lesson import Lesson, Number, Outcome, Progress, Say, Seed, Text, part

Count = Annotated[int, Meta(ge=1, le=100_000)]
PICOJOULES: Final = {"float32": 4.6, "int8": 0.23}
"""Energy of one multiplication and addition at 45 nm (Horowitz, ISSCC 2014): arithmetic alone, no memory traffic."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """units: of the memories that are fitted. timed: beats named one by one for the time of a beat."""

    weights: str = "memory-gru"
    units: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=8)] = (48, 16, 4)
    hearts: Annotated[int, Meta(ge=4, le=500)] = 20
    beats: Annotated[int, Meta(ge=64, le=4000)] = 192
    steps: Count = 200
    timed: Annotated[int, Meta(ge=5, le=500)] = 100
    seed: Seed = 0


class OneBeat(nn.Module):
    """The network as a device calls it: one beat and a memory in; probabilities and the memory out."""

    def __init__(self, net: BeatNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, window: Tensor, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """[1, 1, channels, window], [1, 1, features], [parts, 1, hidden] -> [1, 1, 5], memory."""
        logits, memory = self.net.sequence(window, features, memory)
        return torch.softmax(logits, dim=-1), memory


def quantised(net: BeatNet) -> BeatNet:
    """A copy whose recurrent and linear layers hold eight-bit weights; activations are quantised as they come."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layers = {nn.GRU, nn.LSTM, nn.Linear}
        small: BeatNet = torch.ao.quantization.quantize_dynamic(net, layers, dtype=torch.qint8)  # type: ignore[no-untyped-call]
    return small


def size(net: nn.Module) -> int:
    """Bytes of the weights on disk."""
    buffer = io.BytesIO()
    torch.save(net.state_dict(), buffer)
    return len(buffer.getvalue())


def macs(net: BeatNet) -> int:
    """Multiplications and additions for one beat."""
    shape, window = net.shape, net.shape.window
    gates = {"gru": 3, "lstm": 4, "rnn": 1}[shape.cell]
    half, quarter = (window + 1) // 2, (window + 3) // 4
    stem = half * 7 * shape.channels * shape.stem + quarter * 5 * shape.stem * 2 * shape.stem
    reader = 2 * quarter * gates * shape.reader * (2 * shape.stem + shape.reader)
    width = shape.bottleneck + shape.features
    rest = 2 * shape.reader * shape.bottleneck + gates * shape.memory * (width + shape.memory)
    return stem + reader + rest + (shape.memory + width) * shape.classes


def one_by_one(
    call: Callable[..., tuple[Any, Any]], found: Beats, memory: Any, ready: Callable[..., Any]
) -> tuple[NDArray[np.float32], float]:
    """Probabilities of each beat [n, 5], named one at a time, and the median time of one, us."""
    given, spent = [], []
    for window, features in zip(found.windows, found.features, strict=True):
        inputs = ready(window[None, None]), ready(features[None, None])
        begin = time.perf_counter()
        probabilities, memory = call(*inputs, memory)
        spent.append(time.perf_counter() - begin)
        given.append(np.asarray(probabilities)[0, 0])
    return np.array(given), 1e6 * float(np.median(spent))


def exported(net: BeatNet, found: Beats) -> tuple[bytes, Callable[..., tuple[Any, Any]]] | None:
    """The network as an ONNX file, and what runs it; None where the packages are not installed."""
    if not all(find_spec(name) for name in ("onnx", "onnxruntime")):
        return None
    import onnxruntime

    example = (
        torch.from_numpy(found.windows[None, :1]),
        torch.from_numpy(found.features[None, :1]),
        net.empty_memory(1),
    )
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            OneBeat(net).eval(),
            example,
            path,
            input_names=["window", "features", "memory"],
            output_names=["probabilities", "after"],
            dynamo=False,
        )
        file = path.read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def call(window: Any, features: Any, memory: Any) -> tuple[Any, Any]:
        probabilities, after = session.run(None, {"window": window, "features": features, "memory": memory})
        return probabilities, after

    return file, call


@torch.no_grad()
def run(settings: Settings, _records: Sequence[Record], progress: Progress) -> Outcome:
    """The shipped network three ways along the excerpt; then memories of fewer units on simulated hearts."""
    _, found = beats.excerpt()
    found = found.take(np.arange(min(settings.timed, len(found))))
    net = beats.shipped(settings.weights)
    small = quantised(net)
    plain, plain_us = one_by_one(OneBeat(net), found, net.empty_memory(1), torch.from_numpy)
    eight, eight_us = one_by_one(OneBeat(small), found, net.empty_memory(1), torch.from_numpy)
    numbers: dict[str, Number] = {
        "timed_beats": len(found),
        "plain_kb": size(net) / 1000,
        "int8_kb": size(small) / 1000,
        "plain_us": plain_us,
        "int8_us": eight_us,
        "int8_apart": float(np.abs(plain - eight).max()),
        "int8_agree": float((plain.argmax(axis=1) == eight.argmax(axis=1)).mean()),
        "macs": macs(net),
        "shipped_units": net.shape.memory,
        "float_pj": PICOJOULES["float32"],
        "int8_pj": PICOJOULES["int8"],
    }
    numbers["nanojoules"] = macs(net) * PICOJOULES["float32"] / 1000
    numbers["int8_nanojoules"] = macs(net) * PICOJOULES["int8"] / 1000
    progress(0.2)
    onnx = exported(net, found)
    numbers |= {"onnx_kb": "-", "onnx_us": "-", "onnx_apart": "-"}
    if onnx:
        file, call = onnx
        told, onnx_us = one_by_one(call, found, net.empty_memory(1).numpy(), np.asarray)
        numbers["onnx_kb"], numbers["onnx_us"] = f"{len(file) / 1000:.0f}", f"{onnx_us:.0f}"
        numbers["onnx_apart"] = f"{np.abs(told - plain).max():.1e}"
    progress(0.3)
    with torch.enable_grad():
        scores = _memories(settings, numbers, part(progress, 0.3, 1.0))
    first, last = settings.units[0], settings.units[-1]
    claims = {
        "smaller": float(numbers["int8_kb"]) < 0.6 * float(numbers["plain_kb"]),
        "agrees": float(numbers["int8_agree"]) >= 0.98,
        "faster": float(numbers["int8_us"]) < float(numbers["plain_us"]),
        "onnx": bool(onnx) and float(numbers["onnx_apart"]) < 1e-4,
        "units": scores[last] > 0.85 * scores[first],
    }
    return Outcome(numbers=numbers, claims=claims, draw=lambda say: [_draw(say, numbers, scores)])


def _memories(settings: Settings, numbers: dict[str, Number], progress: Progress) -> dict[int, float]:
    """Macro-F1 by units of the memory, on hearts never seen."""
    known = beats.labelled(hearts.ward(settings.hearts, settings.beats, settings.seed))
    train = known.patient < settings.hearts // 2
    learn, test = sequences.cut(known.take(train)), sequences.cut(known.take(~train))
    scores = {}
    for place, units in enumerate(settings.units):
        net = learning.seeded(settings.seed, partial(sequences.BeatMemory, "gru", units, known.windows.shape[1]))
        watched = part(progress, place / len(settings.units), (place + 1) / len(settings.units))
        sequences.fit(net, learn, steps=settings.steps, seed=settings.seed, progress=watched)
        scores[units] = sequences.score(net, test)
    rows = [
        f"| {units} | {3 * units * (units + sequences.READ + 1):,} | {score:.3f} |" for units, score in scores.items()
    ]
    numbers["table"] = "\n".join(rows)
    numbers["first_f1"], numbers["last_f1"] = scores[settings.units[0]], scores[settings.units[-1]]
    numbers["kept"] = scores[settings.units[-1]] / max(scores[settings.units[0]], 1e-9)
    numbers["first_units"], numbers["last_units"] = settings.units[0], settings.units[-1]
    return scores


def _draw(say: Say, numbers: dict[str, Number], scores: dict[int, float]) -> Figure:
    made, (left, middle, right) = drawing.figure(1, 3, 2.5)
    names, sizes, times = ["float32", "int8"], ["plain_kb", "int8_kb"], ["plain_us", "int8_us"]
    if numbers["onnx_kb"] != "-":
        names, sizes, times = [*names, "ONNX"], [*sizes, "onnx_kb"], [*times, "onnx_us"]
    drawing.bars(left, names, [float(numbers[key]) for key in sizes], shown="{:.0f}")
    left.set(title=say("size (kB)", "大きさ (kB)"))
    drawing.bars(middle, names, [float(numbers[key]) for key in times], shown="{:.0f}")
    middle.set(title=say("time of a beat (μs)", "1拍の時間 (μs)"))
    drawing.bars(
        right,
        [str(units) for units in scores],
        list(scores.values()),
        shown="{:.2f}",
        colours=(drawing.GREEN,),
        top=1.15,
    )
    right.set(title=say("macro-F1 by units of memory", "記憶のユニット数とマクロF1"))
    return made


LESSON = Lesson(
    name="edge",
    title=Text("Small devices: fewer bits, fewer units", "小さな機器：ビットとユニットを減らす"),
    settings=Settings(),
    quick={"hearts": 4, "beats": 64, "steps": 10, "timed": 30},
    run=run,
)
