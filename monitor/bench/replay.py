"""Seconds of ECG per second through everything but MQTT: messages decoded, ordered, filtered, detected, classified."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ecg import beside
from ecg.model import weights
from ecg.model.device import device_name, limit_threads
from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire.messages import decode_wave, encode_wave
from monitor.bench import others, report
from monitor.evaluation import spread
from monitor.ward.play import play, waves
from monitor.ward.ward import Ward

T = TypeVar("T")


def payloads(record: Record, chunk_seconds: float) -> list[bytes]:
    """The record as the producer would send it, every lead."""
    return [encode_wave(wave) for wave in waves(record, chunk_seconds)]


class Run(NamedTuple):
    """What a replay took. begin_s, end_s: seconds of the machine's clock. cpu_s: seconds. stages: processor seconds of
    what a step calls. beats: read.
    """

    begin_s: float
    end_s: float
    cpu_s: float
    stages: dict[str, float]
    beats: int

    @property
    def wall_s(self) -> float:
        """Seconds from begin to end."""
        return self.end_s - self.begin_s


def timed(config: Config, beds: dict[str, list[bytes]], ready: Callable[[], None] | None = None) -> Run:
    """All messages decoded and played through a ward. ready: called before the clock runs."""
    fitted, card = weights.load(config.model.weights)
    ward = Ward(config, fitted, card.name, device_name(config.model.device), doubt=card.doubt)
    stages: dict[str, float] = {}
    parts = ((ward.engine, "infer", "network"), (ward.path, "step_leads", "signal path"))
    for holder, name, stage in (
        *parts,
        (ward.alarms, "leads", "alarms' signs"),
        (ward.alarms, "tell", "their beats"),
    ):
        clock = time.process_time if holder is ward.path else time.thread_time  # nothing runs beside the path's halves
        setattr(holder, name, counted(getattr(holder, name), stages, stage, clock))
    if ready:
        ready()
    begin, used = time.monotonic(), time.process_time()
    for _ in play(ward, {name: map(decode_wave, messages) for name, messages in beds.items()}):
        pass
    end, cpu_s = time.monotonic(), time.process_time() - used
    return Run(begin, end, cpu_s, stages | {"the rest": cpu_s - sum(stages.values())}, ward.ledger.beats)


def spread_out(config: Config, found: list[Record], chunk_seconds: float, processes: int) -> Run:
    """The records in so many processes at once, from the first one's beginning to the last one's end."""
    parts = spread.shares([record.seconds for record in found], processes)
    share = partial(_share, config=config, chunk_seconds=chunk_seconds)
    runs = [run for _, run in spread.each(share, [[found[place] for place in part] for part in parts])]
    return Run(
        min(run.begin_s for run in runs),
        max(run.end_s for run in runs),
        sum(run.cpu_s for run in runs),
        {stage: sum(run.stages[stage] for run in runs) for stage in runs[0].stages},
        sum(run.beats for run in runs),
    )


def _share(found: list[Record], config: Config, chunk_seconds: float) -> Run:
    """What one process plays."""
    limit_threads(config.model.threads)
    beds = {record.name: payloads(record, chunk_seconds) for record in found}
    timed(config, {"warm-up": beds[found[0].name][:30]})
    return timed(config, beds, spread.together)


def counted(
    work: Callable[..., T], stages: dict[str, float], stage: str, clock: Callable[[], float] = time.thread_time
) -> Callable[..., T]:
    """The same, its processor seconds by this clock added up under a stage."""
    stages[stage] = 0.0

    def call(*given: Any, **options: Any) -> T:
        begin = clock()
        try:
            return work(*given, **options)
        finally:
            stages[stage] += clock() - begin

    return call


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench replay`."""
    limit_threads(config.model.threads)
    about = report.machine()
    found = [library.read(name) for name in report.records(options.records)]
    beds = {record.name: payloads(record, options.chunk_seconds) for record in found}
    seconds = sum(record.seconds for record in found)
    timed(config, {"warm-up": beds[found[0].name][:30]})
    one_bed, all_beds = timed(config, {found[0].name: beds[found[0].name]}), timed(config, beds)
    one, every = found[0].seconds / one_bed.wall_s, seconds / all_beds.wall_s
    runs = {
        f"one bed ({found[0].name})": (found[0].seconds, one_bed),
        f"{len(found)} beds at once": (seconds, all_beds),
    }
    processes = min(options.processes or beside.cores(), len(found))
    if processes > 1:
        beds.clear()
        runs[f"the same in {processes} processes"] = (
            seconds,
            spread_out(config, found, options.chunk_seconds, processes),
        )
    by_hour = {
        **{name: made.cpu_s * 3600 / length for name, (length, made) in runs.items()},
        **(others.cpu_per_hour(found[0]) if options.compare else {}),
    }
    few = "" if options.records or len(found) > 1 else " The 48 records are not on disk: this is the 5-minute excerpt."
    rows = [
        [name, f"{length:,.0f}", f"{made.beats:,}", f"{made.wall_s:.1f}", f"{length / made.wall_s:,.0f}"]
        for name, (length, made) in runs.items()
    ]
    report.show(
        report.table(
            "replay: everything but MQTT",
            ("", "s of ECG", "beats", "wall s", "x real time"),
            rows,
            f"{about}. Messages of {options.chunk_seconds:g} s, all leads.{few}",
        ),
        report.table(
            "processor seconds by stage",
            ("", *all_beds.stages),
            [[name, *(f"{spent:.2f}" for spent in made.stages.values())] for name, (_, made) in runs.items()],
            "The network's are the floor: its arithmetic.",
        ),
        report.table(
            "processor seconds for an hour of ECG",
            ("", "s"),
            [[name, f"{spent:.3f}"] for name, spent in by_hour.items()],
        ),
    )
    report.write(
        options.json,
        {
            "one_bed": one,
            "all_records": every,
            "wall_s": all_beds.wall_s,
            "processes": processes,
            "wall_s_in_processes": list(runs.values())[-1][1].wall_s,
            "cpu_s_by_stage": all_beds.stages,
            "cpu_s_per_hour": by_hour,
            "records": len(found),
            "seconds_of_ecg": seconds,
            "beats": all_beds.beats,
            "chunk_seconds": options.chunk_seconds,
        },
    )
    return 0
