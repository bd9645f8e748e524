"""Seconds of ECG per second through everything but MQTT: messages decoded, ordered, filtered, detected, classified."""

from __future__ import annotations

import argparse
import time

import torch

from ecg.model import weights
from ecg.model.device import pick_device
from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire.messages import decode_wave, encode_wave
from monitor.bench import report
from monitor.ward.play import play, waves
from monitor.ward.ward import Ward


def payloads(record: Record, chunk_seconds: float) -> list[bytes]:
    """The record as the producer would send it, every lead."""
    return [encode_wave(wave) for wave in waves(record, chunk_seconds)]


def timed(config: Config, beds: dict[str, list[bytes]]) -> tuple[float, int]:
    """All messages decoded and played through a ward: wall seconds and beats."""
    net, card = weights.load(config.model.weights)
    ward = Ward(config, net, card.name, pick_device(config.model.device), doubt=card.doubt)
    begin = time.perf_counter()
    for _ in play(ward, {name: map(decode_wave, messages) for name, messages in beds.items()}):
        pass
    return time.perf_counter() - begin, ward.ledger.beats


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench replay`."""
    if config.model.threads:
        torch.set_num_threads(config.model.threads)
    about = report.machine()
    found = [library.read(name) for name in report.records(options.records)]
    beds = {record.name: payloads(record, options.chunk_seconds) for record in found}
    seconds = sum(record.seconds for record in found)
    timed(config, {"warm-up": beds[found[0].name][:30]})
    alone, one_beats = timed(config, {found[0].name: beds[found[0].name]})
    together, all_beats = timed(config, beds)
    one, every = found[0].seconds / alone, seconds / together
    few = "" if options.records or len(found) > 1 else " The 48 records are not on disk: this is the 5-minute excerpt."
    rows = [
        [f"one bed ({found[0].name})", f"{found[0].seconds:,.0f}", f"{one_beats:,}", f"{alone:.1f}", f"{one:,.0f}"],
        [f"{len(found)} beds at once", f"{seconds:,.0f}", f"{all_beats:,}", f"{together:.1f}", f"{every:,.0f}"],
    ]
    report.show(
        report.table(
            "replay: everything but MQTT",
            ("", "s of ECG", "beats", "wall s", "x real time"),
            rows,
            f"{about}. Messages of {options.chunk_seconds:g} s, all leads.{few}",
        )
    )
    report.write(
        options.json,
        {
            "one_bed": one,
            "all_records": every,
            "wall_s": together,
            "records": len(found),
            "seconds_of_ecg": seconds,
            "beats": all_beats,
            "chunk_seconds": options.chunk_seconds,
        },
    )
    return 0
