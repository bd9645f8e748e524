"""What the product says of five records and the excerpt, live and offline, as arrays that two versions can compare."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model import weights
from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire.messages import SCHEMA, Wave
from monitor.evaluation.replay import listen, replay
from monitor.ward.events import AlarmChanged, BeatRead
from monitor.ward.ward import Ward
from trainer.data.cutting import cut
from trainer.scoring.naming import probabilities

RECORDS: Final = ("100", "114", "203", "207", "232")
WEIGHTS: Final = "memory-gru"
FOLDER: Final = Path(__file__).parent
BLOCK: Final = 32
"""Beats of which one mean of probabilities is kept, for the ways that are not kept beat by beat."""

Arrays = dict[str, NDArray[Any]]


def live(records: list[Record], chunk_seconds: float = 1.0) -> Arrays:
    """Beats and alarm changes of the records as beds of one ward, by "NAME.index", "NAME.probabilities", ..."""
    net, card = weights.load(WEIGHTS)
    ward = Ward(Config(), net, card.name, torch.device("cpu"))
    beats: dict[str, list[tuple[int, list[float]]]] = {record.name: [] for record in records}
    changes: dict[str, list[tuple[str, str, int, int, int]]] = {record.name: [] for record in records}

    def step() -> None:
        for event in ward.step():
            if isinstance(event, BeatRead):
                beats[event.bed].append((event.index, list(event.probabilities)))
            elif isinstance(event, AlarmChanged):
                for change in event.changes:
                    changes[event.bed].append((change.what, change.kind, change.onset, change.over, change.index))

    messages = {record.name: waves(record, chunk_seconds) for record in records}
    for turn in range(max(len(one) for one in messages.values())):
        for name, one in messages.items():
            if turn < len(one):
                ward.wave(name, one[turn], 0)
        step()
    ward.end_all()
    step()
    found: Arrays = {}
    for name in beats:
        found[f"{name}.index"] = np.array([index for index, _ in beats[name]], np.int32)
        found[f"{name}.probabilities"] = np.array([said for _, said in beats[name]], np.float32)
        found[f"{name}.changes"] = digest(changes[name])
    return found


def offline(records: list[Record]) -> Arrays:
    """The trainer's two evaluations and the alarms' own replay of the same records."""
    net, _ = weights.load(WEIGHTS)
    found: Arrays = {}
    for way in ("detector", "reference"):
        cuts = cut(records, way)  # type: ignore[arg-type]
        for one, said in zip(cuts, probabilities(net, cuts), strict=True):
            found[f"{one.name}.{way}.index"] = one.index.astype(np.int32)
            found[f"{one.name}.{way}.classes"] = digest(one.classes.tolist())
            found[f"{one.name}.{way}.probabilities"] = said
    settings = Config()
    heard = listen(records, settings.monitor.lead, settings.monitor.lead_off_seconds, net)
    for record, one in zip(records, heard, strict=True):
        raised = replay(settings.alarms, record.rate, len(record.samples), one.signs, one.index, one.classes)
        found[f"{record.name}.raised"] = digest([(a.kind, a.onset, a.over, a.raised) for a in raised])
    return found


def waves(record: Record, chunk_seconds: float) -> list[Wave]:
    """The record as wave messages of that length."""
    size = round(chunk_seconds * record.rate)
    edges = [*range(0, len(record.samples), size), len(record.samples)]
    return [
        Wave(
            v=SCHEMA,
            stream=f"{record.name}-golden-0",
            record=record.name,
            seq=seq,
            index=begin,
            rate=record.rate,
            leads=list(record.leads),
            gain=record.gain.tolist(),
            baseline=record.baseline.tolist(),
            sent_ns=0,
            samples=record.samples[begin:end].astype("<i2").tobytes(),
        )
        for seq, (begin, end) in enumerate(pairwise(edges))
    ]


def digest(values: Any) -> NDArray[np.uint8]:
    """SHA-256 of plain values, as an array."""
    return np.frombuffer(hashlib.sha256(json.dumps(values).encode()).digest(), np.uint8)


def blocks(said: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of probabilities over BLOCK beats at a time: float32 [blocks, classes]."""
    edges = np.arange(0, len(said), BLOCK)
    counts = np.diff(np.append(edges, len(said)))[:, None]
    means: NDArray[np.float32] = (np.add.reduceat(said.astype(np.float64), edges, axis=0) / counts).astype(np.float32)
    return means


def kept(found: Arrays) -> Arrays:
    """What goes into the file: offline probabilities as means of blocks."""
    return {
        key: blocks(value) if key.count(".") == 2 and key.endswith(".probabilities") else value
        for key, value in found.items()
    }


def write(name: str, records: list[Record]) -> None:
    """Keep what this version says as `name`.npz."""
    found = live(records)
    if records[0].annotations is not None:
        found |= offline(records)
    np.savez_compressed(FOLDER / f"{name}.npz", **kept(found))  # type: ignore[arg-type]


def main() -> None:
    """`python -m tests.golden.digests`: write the files anew, where a change of results is meant."""
    torch.set_num_threads(1)
    write("excerpt", [library.read("excerpt")])
    if not library.missing(list(RECORDS)):
        write("records", [library.read(name) for name in RECORDS])


if __name__ == "__main__":
    main()
