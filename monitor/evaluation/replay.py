"""Records replayed as fast as the processor can: signs, beats and alarms just as the live path gives them.

Many records go through the signal path and the network at once, each in a slot of its own with its own memory. The
alarms depend on sample indices alone, so every sign and every beat may be told before the clock moves at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from numpy.typing import NDArray

from ecg.model.network import BeatNet
from ecg.records.aami import CLASSES
from ecg.records.record import Record, pick_lead
from ecg.settings import Alarms, Monitor
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from monitor.alarms.bed import BedAlarms
from monitor.alarms.kinds import PRIORITY, Priority
from monitor.alarms.signs import SignalSigns
from monitor.alarms.state import Sign
from monitor.ward.intake import Begin, Intake, Piece, Signal
from monitor.ward.ledger import Ledger
from monitor.ward.play import waves

STEP_SECONDS = 20
"""Signal of each record taken in one go: bounds memory, changes nothing else."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm episode: its condition from `onset` to `over`, known to be true at `raised`, in samples."""

    kind: str
    onset: int
    over: int
    raised: int

    @property
    def priority(self) -> Priority:
        """Of its kind."""
        return PRIORITY[self.kind]


def signs_of(records: Sequence[Record], settings: Monitor) -> list[list[Sign]]:
    """The signs of each record's signal: fibrillation, an unsteady baseline, a lead that is off. settings: [monitor].

    They say when the cardiologists' beats, put in place of the network's, are not to be counted.
    """
    intakes = [Intake(bed=record.name, settings=settings, ledger=Ledger()) for record in records]
    signs = SignalSigns(len(records))
    found: list[list[Sign]] = [[] for _ in records]
    for turn in zip_longest(*(waves(record, STEP_SECONDS) for record in records)):
        queues = [deque(intake.offer(wave) if wave else ()) for intake, wave in zip(intakes, turn, strict=True)]
        while any(queues):
            heard: list[tuple[int, Signal]] = []
            for slot, queue in enumerate(queues):
                piece: Piece | None = None
                while queue and isinstance(piece := queue.popleft(), Begin):
                    signs.reset(np.array([slot]), np.array([piece.rate]), np.array([piece.index]))
                    found[slot].append(Sign(piece.index))
                if isinstance(piece, Signal):
                    heard.append((slot, piece))
            slots, off = np.array([slot for slot, _ in heard]), np.array([piece.lead_off for _, piece in heard])
            for slot, sign in signs.step(slots, [piece.samples for _, piece in heard], off):
                found[slot].append(sign)
    return found


@dataclass(frozen=True, slots=True)
class Heard:
    """What the monitor makes of one record. index: int64 [m], R-peaks; classes: str [m], the network's."""

    signs: list[Sign]
    index: NDArray[np.int64]
    classes: NDArray[np.str_]


def listen(
    records: Sequence[Record],
    lead: str,
    lead_off_seconds: float,
    net: BeatNet | None,
    progress: Callable[[float], None] | None = None,
) -> list[Heard]:
    """Signs of the signals and, with a network, the beats and their classes of all records at once.

    progress: called with the share that is done.
    """
    slots = np.arange(len(records))
    signals = [record.millivolts(pick_lead(record.leads, lead)) for record in records]
    rates = np.array([record.rate for record in records])
    start = np.zeros(len(records), np.int64)
    path = SignalPath(len(records))
    path.reset(slots, rates, start)
    settings = Monitor(lead=lead, lead_off_seconds=lead_off_seconds)
    found = signs_of(records, settings)
    index: list[list[NDArray[np.int64]]] = [[] for _ in records]
    names: list[list[NDArray[np.int64]]] = [[] for _ in records]
    memory = net.empty_memory(len(records)) if net else None

    def classify(beats: Beats) -> None:
        if net is None or memory is None:
            return
        for slot in np.unique(beats.slot):
            own = beats.take(beats.slot == slot)
            windows, features = torch.from_numpy(own.windows)[None], torch.from_numpy(own.features)[None]
            logits, memory[:, slot : slot + 1] = net.sequence(windows, features, memory[:, slot : slot + 1])
            index[slot].append(own.index)
            names[slot].append(logits[0].argmax(dim=1).numpy())

    steps = max((int(np.ceil(record.seconds / STEP_SECONDS)) for record in records), default=0)
    with torch.inference_mode():
        for step in range(steps):
            cuts = np.rint(np.array([step, step + 1])[:, None] * STEP_SECONDS * rates).astype(np.int64)
            chunks = [signals[slot][cuts[0, slot] : cuts[1, slot]] for slot in slots]
            there = [slot for slot in slots if len(chunks[slot])]
            some = [chunks[slot] for slot in there]
            if net is not None:
                classify(path.step(np.array(there), some))
            if progress:
                progress((step + 1) / steps)
        if net is not None:
            classify(path.finish(slots))
    letters = np.array(CLASSES)
    return [
        Heard(
            found[slot],
            np.concatenate([np.zeros(0, np.int64), *index[slot]]),
            letters[np.concatenate([np.zeros(0, np.int64), *names[slot]])],
        )
        for slot in slots
    ]


def replay(
    settings: Alarms,
    rate: float,
    length: int,
    signs: Sequence[Sign],
    index: NDArray[np.int64],
    classes: NDArray[np.str_],
) -> list[Raised]:
    """The alarm episodes of one record, in order of being raised, those that a graver one hides included.

    length: samples. index: int64 [m], R-peaks, ascending. classes: str [m]. An episode that lasts ends with the
    record.
    """
    bed = BedAlarms(settings, rate)
    changes = []
    for sign in signs:
        changes += bed.sign(sign)
    for at, cls in zip(index.tolist(), classes.tolist(), strict=True):
        changes += bed.beat(at, cls)
    changes += bed.clock(length - 1)
    open_: dict[str, tuple[int, int]] = {}
    raised = []
    for change in changes:
        if change.what == "onset":
            open_[change.kind] = (change.onset, change.index)
        elif change.what == "end":
            onset, at = open_.pop(change.kind)
            raised.append(Raised(change.kind, onset, change.over, at))
    raised += [Raised(kind, onset, length - 1, at) for kind, (onset, at) in open_.items()]
    return sorted(raised, key=lambda one: (one.raised, one.kind))
