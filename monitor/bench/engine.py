"""Beats per second of the network by batch size, beside the lecture's network and a matrix product."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ecg.errors import UserError
from ecg.model import weights
from ecg.model.device import pick_device
from ecg.model.lecture import ROW_LENGTH, LectureNet
from ecg.model.network import BeatNet, QuickReader, built, reader_of
from ecg.records import library
from ecg.settings import Config
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from monitor.bench import report
from monitor.inference import choice
from monitor.inference.arrays import ArrayEngine

BATCHES: Final = (1, 4, 16, 64, 256, 1024, 4096)
GPU_BATCHES: Final = (16384,)
"""On a GPU besides."""
SQUARE: Final = 1024
"""Rows and columns of the matrices whose product the recurrent part is compared with."""


def recurrent_flops(net: BeatNet) -> int:
    """Floating point operations of one beat in the matrix products of the reader's recurrence and the memory."""
    shape = net.shape
    gates = {"gru": 3, "lstm": 4, "rnn": 1}[shape.cell]
    steps = net.stem(torch.zeros(1, shape.channels, shape.window)).shape[2]
    read = 2 * steps * gates * shape.reader * (2 * shape.stem + shape.reader)
    remember = gates * shape.memory * (shape.bottleneck + shape.features + shape.memory)
    return int(2 * (read + remember))


def beats(count: int) -> Beats:
    """Real beats of the excerpt, used again in turn, each of a bed of its own."""
    path = SignalPath(1)
    slot = np.zeros(1, np.int64)
    path.reset(slot, np.array([360.0]), slot)
    found = path.step(slot, [library.read(library.EXCERPT).millivolts(0)])
    chosen = found.take(np.arange(count) % len(found))
    chosen.slot = np.arange(count)
    return chosen


def devices(wanted: str | None) -> list[torch.device]:
    """The devices to measure: as wanted, else every one present."""
    if wanted is not None:
        return [pick_device(wanted)]
    return [pick_device(name) for name in ("cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count())))]


def sizes(text: str) -> list[int]:
    """Batch sizes as typed. Raises UserError."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1 or max(found) > 1 << 20:
        raise UserError(f"--batches {text} cannot be used: give whole numbers of 1 or more, such as 1,64,256")
    return found


@torch.inference_mode()
def measure(name: str, device: torch.device, batches: list[int] | None, seconds: float) -> dict[str, Any]:
    """All figures of one device, by default for the batch sizes that suit it."""
    batches = batches or [*BATCHES, *(GPU_BATCHES if device.type == "cuda" else ())]
    fitted, card = weights.load(name)
    net = built(fitted)
    flops = recurrent_flops(net)
    net = net.to(device)
    done = _waiter(device)

    lecture = LectureNet().eval().to(device)
    row = torch.rand(1, ROW_LENGTH, device=device)
    square = torch.rand(SQUARE, SQUARE, device=device)
    product = torch.empty_like(square)

    def lecture_beat() -> None:
        torch.softmax(lecture(row), dim=-1)
        done()

    def matmul() -> None:
        torch.mm(square, square, out=product)
        done()

    figures: dict[str, Any] = {
        "device": str(device),
        "model": card.name,
        "threads": torch.get_num_threads() if device.type == "cpu" else None,
        "recurrent_flops_per_beat": flops,
        "batches": {},
    }
    for batch in batches:
        given = beats(batch)
        engine = choice.engine(fitted, str(device), batch, batch)
        reader = reader_of(net)
        pool = reader.pool if isinstance(reader, QuickReader) else net.pool
        steps = net.stem(torch.from_numpy(given.windows).to(device))
        width = net.shape.bottleneck + net.shape.features
        told, memory = torch.zeros(batch, 1, width, device=device), net.empty_memory(batch)

        def recurrent(
            pool: Callable[[Tensor], Tensor], steps: Tensor = steps, told: Tensor = told, memory: Tensor = memory
        ) -> None:
            pool(steps)
            net.remember(told, memory)
            done()

        spans = report.spans(
            (
                lambda engine=engine, given=given: engine.infer(given),  # type: ignore[misc]
                lambda pool=pool: recurrent(pool),  # type: ignore[misc]
                lambda: recurrent(net.pool),
                lecture_beat,
                matmul,
            ),
            seconds,
        )
        whole, quick, plain, one, dense = (float(np.median(times)) for times in spans)
        if isinstance(engine, ArrayEngine):  # its recurrent part is not apart from the rest
            quick = whole
        matmul_rate = 2 * SQUARE**3 / dense
        figures["batches"][str(batch)] = {
            "beats_per_s": batch / whole,
            "vs_lecture": batch / whole * one,
            "vs_matmul": batch * flops / quick / matmul_rate,
            "vs_matmul_library_cell": batch * flops / plain / matmul_rate,
            "ms_per_batch": whole * 1000,
            "ms_per_batch_p99": float(np.percentile(spans[0], 99)) * 1000,
            "lecture_beats_per_s": 1 / one,
            "matmul_gflops": matmul_rate / 1e9,
            "recurrent_gflops": batch * flops / quick / 1e9,
        }
    return figures


def _waiter(device: torch.device) -> Callable[[], None]:
    """What to call so that all work on the device is done."""
    return (lambda: torch.cuda.synchronize(device)) if device.type == "cuda" else (lambda: None)


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench engine`."""
    batches = sizes(options.batches) if options.batches else None
    if config.model.threads:
        torch.set_num_threads(config.model.threads)
    about = report.machine()
    found = [
        measure(options.weights or config.model.weights, device, batches, options.seconds)
        for device in devices(options.device)
    ]
    report.write(options.json, found[0] if len(found) == 1 else {"devices": found})
    for figures in found:
        rows = [
            [
                batch,
                f"{one['beats_per_s']:,.0f}",
                f"{one['ms_per_batch']:.2f}",
                f"{one['ms_per_batch_p99']:.2f}",
                f"{one['vs_lecture']:.1f}",
                f"{one['vs_matmul']:.0%}",
                f"{one['vs_matmul_library_cell']:.0%}",
                f"{one['lecture_beats_per_s']:,.0f}",
                f"{one['matmul_gflops']:,.0f}",
            ]
            for batch, one in figures["batches"].items()
        ]
        threads = f", {figures['threads']} thread(s)" if figures["threads"] else ""
        report.show(
            report.table(
                f"engine: {figures['model']} on {figures['device']}{threads}",
                (
                    "batch",
                    "beats/s",
                    "ms/batch",
                    "p99",
                    "x lecture",
                    "of matmul",
                    "(library cell)",
                    "lecture beats/s",
                    "matmul GFLOP/s",
                ),
                rows,
                f"{about}. x lecture: against its 2-layer Bi-LSTM of 128 called beat by beat. of matmul: matrix "
                f"operations of the recurrent part per second in it (where the kernel computes: in the whole pass), "
                f"against a {SQUARE} x {SQUARE} float32 product; (library cell): through torch's own recurrent layer.",
            )
        )
    return 0
