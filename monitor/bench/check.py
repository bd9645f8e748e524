"""What has become slower? Processor time of the monitor's parts, as ratios to a fixed workload beside them.

The workload is of the same kind as the parts: NumPy calls on small arrays, Python between them, a few on large ones.
Both are timed in processor seconds, by turns, each by its quickest run: what else a machine does slows both down. The
ratios are compared with a file in the repository; what seems slower is measured again before it is believed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ecg.errors import UserError
from ecg.model import weights
from ecg.model.device import limit_threads
from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config
from ecg.wire import packets
from ecg.wire.lot_splitter import LotSplitter
from ecg.wire.messages import encode_wave
from ecg.wire.outbox import Outgoing
from ecg.wire.topics import Topics
from monitor.bench import report
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.publisher import Publisher
from monitor.service.router import Router
from monitor.ward.events import Event
from monitor.ward.play import waves
from monitor.ward.ward import Ward

FILE: Final = Path(__file__).with_name("ratios.json")
SLOWER: Final = 1.2
"""So many times the ratio in the file is too slow, unless more is allowed: another processor has other ratios."""
ROUNDS: Final = 3
MOST_ROUNDS: Final = 15
"""What seems slower is measured up to so often."""
STAGGER_SECONDS: Final = 7
ROOT: Final = "ecg/v1"

Part = Callable[[], tuple[float, float]]
"""Does its work once: (processor seconds, units of work)."""


def workload() -> tuple[float, float]:
    """The fixed workload: what everything is compared with. It must never change, or all ratios do.

    No matrix product is in it: a library's threads wait for one another by spinning, which is processor time too.
    """
    small, index = np.linspace(0.0, 1.0, 64), np.arange(0, 64, 3)
    large = np.linspace(0.0, 1.0, 40_000).reshape(200, 200)
    begin = time.process_time()
    found: dict[int, float] = {}
    for number in range(1500):
        near = np.maximum(small[index] * 2.0 - 0.5, 0.0)
        near[near > 0.75] = 0.25
        found[number % 97] = float(near.sum()) + float(np.median(near)) + int(np.argmax(near))
        if number % 30 == 0:
            np.sort(large * large[::-1], axis=1).cumsum(axis=1)
        for key in range(10):
            found[key] = found.get(key, 0.0) * 0.5 + number
    return time.process_time() - begin, 1.0


class Parts:
    """The parts of a monitor that are timed, with what they work on. record: what all beds send."""

    def __init__(self, config: Config, record: Record) -> None:
        self._config, self._record = config, record
        self._fitted, self._card = weights.load(config.model.weights)
        self._events = self._read(8, 12, 0.25)[2]

    def all(self) -> dict[str, Part]:
        """By name; the unit of each is a second of one bed."""
        return {
            "live, 64 beds": lambda: self._played(64, 5, 0.25),
            "live, 4 beds": lambda: self._played(4, 20, 0.25),
            "replay, 16 beds": lambda: self._played(16, 45, 15.0),
            "messages in": self._received,
            "beats out": self._published,
        }

    def _packets(self, beds: int, seconds: float, chunk: float) -> list[bytes]:
        """What beds that begin at different places of the record send, a message of each at a time."""
        made = list(waves(self._record, chunk))
        count, apart = round(seconds / chunk), max(round(STAGGER_SECONDS / chunk), 1)
        starts = [bed * apart % (len(made) - count) for bed in range(beds)]
        sent = []
        for at in range(count):
            parts: list[bytes] = []
            for bed, start in enumerate(starts):
                packets.publish(parts, f"{ROOT}/bed-{bed}/wave", encode_wave(made[start + at]), False, 0)
            sent.append(b"".join(parts))
        return sent

    def _read(self, beds: int, seconds: float, chunk: float) -> tuple[float, float, list[Event]]:
        """Packets through a new ward: processor seconds until its beds have them, those of its steps, and events."""
        ward = Ward(self._config, self._fitted, self._card.name, "cpu")
        router, splitter = Router(ward, Topics(ROOT), Lag(seconds), Problems()), LotSplitter()
        inward_s, steps_s, events = 0.0, 0.0, list[Event]()
        for data in self._packets(beds, seconds, chunk):
            begin = time.process_time()
            taken = splitter.split(data, time.time_ns())
            router.take(taken.lot or taken.arrivals)
            between = time.process_time()
            events += ward.step()
            inward_s += between - begin
            steps_s += time.process_time() - between
        return inward_s, steps_s, events

    def _played(self, beds: int, seconds: float, chunk: float) -> tuple[float, float]:
        """Packets to events."""
        inward_s, steps_s, _ = self._read(beds, seconds, chunk)
        return inward_s + steps_s, beds * seconds

    def _received(self) -> tuple[float, float]:
        """Packets taken apart and messages handed to their beds, four a second."""
        return self._read(50, 20, 0.25)[0], 50 * 20.0

    def _published(self) -> tuple[float, float]:
        """Beats and alarms as packets."""
        parts: list[bytes] = []

        def send(items: list[Outgoing]) -> None:
            for item in items:
                packets.publish(parts, item.topic, item.payload, item.retain, 1)

        publisher = Publisher(Topics(ROOT), "check", self._card.name, send)
        begin = time.process_time()
        for _ in range(30):
            publisher.take(self._events)
        return time.process_time() - begin, 30 * 8 * 12.0


def measured(parts: dict[str, Part], rounds: int) -> dict[str, float]:
    """Microseconds of each part's unit by those of the workload, times 1000; each of its quickest run."""
    best = dict.fromkeys(parts, float("inf"))
    reference = float("inf")
    for _ in range(rounds):
        for name, part in parts.items():
            gc.collect()
            gc.disable()  # a pass of the collector falls where it likes
            reference = min(reference, workload()[0])
            spent, units = part()
            gc.enable()
            best[name] = min(best[name], spent / units)
    return {name: 1000 * value / reference for name, value in best.items()}


def slower(found: dict[str, float], known: dict[str, float], limit: float = SLOWER) -> list[str]:
    """Names of the parts that take more than `limit` times as long as in the file, or that it does not know."""
    return [name for name, ratio in found.items() if ratio > limit * known.get(name, 0.0)]


def read() -> dict[str, dict[str, float]]:
    """The ratios in the repository, by how the signal path computes. Raises UserError."""
    try:
        return msgspec.json.decode(FILE.read_bytes(), type=dict[str, dict[str, float]])
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(
            f"{FILE} cannot be read ({error}): bench check is for a checkout, and --update writes it"
        ) from None


def run(config: Config, options: argparse.Namespace) -> int:
    """`bench check`; the exit status is 1 where something is slower."""
    limit_threads(1)
    parts = Parts(config, library.read(library.EXCERPT)).all()
    measured(parts, 1)
    found = measured(parts, ROUNDS)
    way = "compiled" if any(name.endswith("signal.kernels.use") for name in sys.modules) else "numpy"
    if options.update:
        known = read() if FILE.exists() else {}
        runs = [measured(parts, ROUNDS) for _ in range(3)]
        rounded = {name: round(float(np.median([one[name] for one in runs])), 3) for name in parts}
        FILE.write_bytes(msgspec.json.format(msgspec.json.encode({**known, way: rounded}), indent=2) + b"\n")
    known = read()
    if way not in known:
        raise UserError(f"{FILE.name} has no ratios for {way}: write them with --update")
    rounds = ROUNDS
    while (late := slower(found, known[way], options.slower)) and rounds < MOST_ROUNDS:
        again = measured({name: parts[name] for name in late}, ROUNDS)
        found |= {name: min(ratio, found[name]) for name, ratio in again.items()}
        rounds += ROUNDS
    figures: dict[str, Any] = {"way": way, "ratios": found, "file": known[way], "slower": late}
    report.write(options.json, figures)
    rows = [[name, f"{ratio:.2f}", f"{known[way].get(name, 0):.2f}"] for name, ratio in found.items()]
    report.show(
        report.table(
            f"check ({way})",
            ("part", "now", "in the file"),
            rows,
            f"{report.machine()}. Thousandths of a fixed workload's processor time for one second of one bed; "
            f"{options.slower:g} times the file's is too slow.",
        ),
        *(f"slower: {name}" for name in late),
    )
    return 1 if late else 0
