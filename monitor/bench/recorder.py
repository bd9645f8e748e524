"""What recording costs: a second of signal, beats and alarms of many beds after the other onto the disk."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from ecg.settings import RecorderSettings
from monitor.bench import report
from monitor.service.recorder.writer import Batch, Writer
from monitor.ward.events import BeatRead
from monitor.ward.pieces import Block, Taken

RATE: Final = 360
LEADS: Final = ["MLII", "V1"]
CHUNKS: Final = 4
"""Messages a second, as the producer sends them."""


def second(number: int, beds: int, rows: list[Block]) -> Batch:
    """One second of all beds, as the ward takes it."""
    batch = Batch()
    for bed in range(beds):
        batch.signal += [Taken(f"b{bed}", "s-0", "r", float(RATE), LEADS, [block]) for block in rows]
        beat = BeatRead(
            bed=f"b{bed}",
            stream="s-0",
            index=number * RATE + 50,
            cls="N",
            probabilities=(0.9, 0.025, 0.025, 0.025, 0.025),
            rr_ms=1000.0,
            heart_rate=60.0,
            moved=0.1,
            sent_ns=0,
            received_ns=0,
            latency_ms=1.0,
            lookahead_ms=467.0,
        )
        batch.events.append((beat, float(number)))
    return batch


def run(options: argparse.Namespace) -> int:
    """`bench recorder`."""
    about, chance = report.machine(), np.random.default_rng(1)
    spent: list[float] = []
    with tempfile.TemporaryDirectory(prefix="ecg-bench-", dir=options.folder) as folder:
        writer = Writer(RecorderSettings(folder=folder))
        for number in range(options.seconds):
            size = RATE // CHUNKS
            noise = chance.integers(-999, 999, (CHUNKS, size, 2)).astype(np.int16)
            at = number * RATE
            rows = [Block(at + k * size, part.tobytes(), [200.0] * 2, [0.0] * 2, 0, 1) for k, part in enumerate(noise)]
            batch = second(number, options.beds, rows)
            begin_s = time.process_time()
            writer.write(batch)
            spent.append(time.process_time() - begin_s)
        begin_s = time.process_time()
        writer.close()
        closing_s = time.process_time() - begin_s
        size_of = sum(file.stat().st_size for file in Path(folder).iterdir())
    rest, mib_per_hour = spent[1:], size_of / options.seconds * 3600 / (1 << 20)
    figures = {
        "machine": about,
        "beds": options.beds,
        "cores": float(np.mean(rest)),
        "first_second_s": spent[0],
        "worst_second_s": max(rest),
        "closing_s": closing_s,
        "mib_per_hour": mib_per_hour,
    }
    report.write(options.json, figures)
    report.show(
        report.table(
            f"recorder: {options.beds} beds of {len(LEADS)} leads at {RATE} Hz in real time",
            ("cores", "first second", "worst second", "closing", "MiB an hour"),
            [[f"{value:.3f}" for value in (np.mean(rest), spent[0], max(rest), closing_s)] + [f"{mib_per_hour:.0f}"]],
            f"{about}. Seconds of processor time; the first one makes all records.",
        )
    )
    return 0
