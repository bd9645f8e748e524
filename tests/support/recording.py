"""Signal and events for a recorder, made by formula: what must be on the disk can be computed anew."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg.settings import RecorderSettings
from monitor.alarms.state import Change
from monitor.service.recorder.writer import Batch, Writer
from monitor.ward.events import AlarmChanged, BeatRead
from monitor.ward.pieces import Block, Taken

RATE = 250
BEGUN_NS = 1_700_000_000_000_000_000


def settings(folder: Path, **other: float) -> RecorderSettings:
    """A recorder's settings."""
    return RecorderSettings(folder=str(folder), **other)


def samples(bed: int, begin: int, end: int) -> NDArray[np.int16]:
    """Samples of a bed: int16 [n, 2], ADU."""
    index = np.arange(begin, end)
    return np.stack(((index * (7 + bed)) % 2001 - 1000, (index * 3) % 511 + bed), axis=1).astype(np.int16)


def taken(bed: int, begin: int, end: int, stream: str = "s-0", gain: float = 200.0) -> Taken:
    """A bed's signal as the ward takes it."""
    received = BEGUN_NS + begin * 10**9 // RATE
    block = Block(begin, samples(bed, begin, end).tobytes(), [gain, 100.0], [0.0, 5.0], received, received)
    return Taken(f"bed-{bed}", stream, "r", float(RATE), ["MLII", "V1"], [block])


def beat(bed: int, index: int, cls: str = "N", stream: str = "s-0") -> BeatRead:
    """A beat."""
    return BeatRead(
        bed=f"bed-{bed}",
        stream=stream,
        index=index,
        cls=cls,
        probabilities=(0.9, 0.025, 0.025, 0.025, 0.025),
        rr_ms=800.0,
        heart_rate=75.0,
        moved=0.1,
        sent_ns=0,
        received_ns=0,
        latency_ms=1.0,
        lookahead_ms=470.0,
    )


def alarm(bed: int, index: int, what: str, onset: int, hidden: bool = False) -> AlarmChanged:
    """One change of an alarm."""
    change = Change("onset" if what == "onset" else "end", "pause", index, onset, -1, hidden)
    return AlarmChanged(bed=f"bed-{bed}", stream="s-0", rate=float(RATE), index=index, active=(), changes=(change,))


def second(number: int, beds: int) -> Batch:
    """One second of all beds: signal, one beat each, now and then an alarm."""
    begin, end = number * RATE, (number + 1) * RATE
    batch = Batch(signal=[taken(bed, begin, end) for bed in range(beds)])
    for bed in range(beds):
        batch.events.append((beat(bed, begin + 20 + bed, "NSVFQ"[number % 5]), 1.0 * number))
        if number % 7 == 3:
            batch.events.append((alarm(bed, end - 1, "onset", begin), 1.0 * number))
    return batch


def record_until_killed(folder: str, beds: int, written: Connection) -> None:
    """Second after second as quickly as they go; each is told once it is on the disk."""
    writer = Writer(settings(Path(folder)))
    for number in range(100_000):
        writer.write(second(number, beds))
        written.send_bytes(number.to_bytes(4, "little"))
