"""What the product says of five records and the excerpt, live and offline, as arrays that two versions can compare."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model import weights
from ecg.model.network import built
from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from monitor.evaluation.replay import listen
from monitor.ward.events import AlarmChanged, BeatRead
from monitor.ward.play import play, waves
from monitor.ward.ward import Ward
from trainer.data.cutting import cut
from trainer.scoring.naming import probabilities

RECORDS: Final = ("100", "114", "203", "207", "232")
WEIGHTS: Final = "ds1-gru"
"""Weights that stay: the default ones change when better ones are fitted."""
FOLDER: Final = Path(__file__).parent
BLOCK: Final = 32
"""Beats of which one mean of probabilities is kept, for the ways that are not kept beat by beat."""

Arrays = dict[str, NDArray[Any]]


def live(records: list[Record], chunk_seconds: float = 1.0, config: Config | None = None) -> Arrays:
    """Beats and alarm changes of the records as beds of one ward, by "NAME.index", "NAME.probabilities", ..."""
    fitted, card = weights.load(WEIGHTS)
    ward = Ward(config or Config(), fitted, card.name, "cpu")
    beats: dict[str, list[tuple[int, list[float]]]] = {record.name: [] for record in records}
    changes: dict[str, list[tuple[str, str, int, int, int]]] = {record.name: [] for record in records}

    for events in play(ward, {record.name: waves(record, chunk_seconds) for record in records}):
        for event in events:
            if isinstance(event, BeatRead):
                beats[event.bed].append((event.index, list(event.probabilities)))
            elif isinstance(event, AlarmChanged):
                for change in (one for one in event.changes if one.what != "held"):
                    changes[event.bed].append((change.what, change.kind, change.onset, change.over, change.index))
    found: Arrays = {}
    for name in beats:
        found[f"{name}.index"] = np.array([index for index, _ in beats[name]], np.int32)
        found[f"{name}.probabilities"] = np.array([said for _, said in beats[name]], np.float32)
        found[f"{name}.changes"] = digest(changes[name])
    return found


def offline(records: list[Record]) -> Arrays:
    """The trainer's two evaluations, and the alarms that `monitor alarms` scores, of the same records."""
    fitted, _ = weights.load(WEIGHTS)
    net = built(fitted)
    found: Arrays = {}
    for way in ("detector", "reference"):
        cuts = cut(records, way)
        for one, said in zip(cuts, probabilities(net, cuts), strict=True):
            found[f"{one.name}.{way}.index"] = one.index.astype(np.int32)
            found[f"{one.name}.{way}.classes"] = digest(one.classes.tolist())
            found[f"{one.name}.{way}.probabilities"] = said
    for record, heard in zip(records, listen(records, Config(), fitted, "cpu"), strict=True):
        found[f"{record.name}.raised"] = digest([(a.kind, a.onset, a.over, a.raised) for a in heard.raised])
    return found


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
