"""What the monitor makes of records: its own beats and alarms, or its alarms over the cardiologists' beats.

Its own come out of the ward, which is what runs live (`listen`). The rules alone are scored by telling them beats that
are given, and the signs of the signal that go with them (`signs_of`, `replay`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecg.model.doubt import NONE as NO_DOUBT
from ecg.model.doubt import Doubt
from ecg.model.weights import Weights
from ecg.records.leads import ecg_columns, pulse_columns
from ecg.records.record import Record
from ecg.settings import AlarmSettings, Config, MonitorSettings
from monitor.alarms.bed import BedAlarms
from monitor.alarms.kinds import PRIORITY, Priority
from monitor.alarms.signs import SignalSigns
from monitor.alarms.state import Change, Sign
from monitor.ward.events import AlarmChanged, BeatRead
from monitor.ward.intake import Intake
from monitor.ward.ledger import Ledger
from monitor.ward.pieces import Begin, Piece, Signal
from monitor.ward.play import play, waves
from monitor.ward.ward import Ward

STEP_SECONDS = 20
"""Signal of each record taken in one go: bounds memory, changes nothing else."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm episode: its condition from `onset` to `over`, known to be true at `raised`, in samples.

    again: the alarm was still shown, so that no new message came. hidden: a graver one of its chain was shown instead.
    """

    kind: str
    onset: int
    over: int
    raised: int
    again: bool = False
    hidden: bool = False

    @property
    def priority(self) -> Priority:
        """Of its kind."""
        return PRIORITY[self.kind]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the monitor makes of one record. beats: as the ward gives them. raised: in order of being raised. held:
    alarms held back for noise.
    """

    beats: list[BeatRead]
    raised: list[Raised]
    held: list[Change] = field(default_factory=list)

    @property
    def index(self) -> NDArray[np.int64]:
        """R-peaks: int64 [m]."""
        return np.array([beat.index for beat in self.beats], np.int64)

    @property
    def classes(self) -> list[str]:
        """The network's AAMI classes."""
        return [beat.cls for beat in self.beats]


def listen(
    records: Sequence[Record],
    config: Config,
    weights: Weights,
    device: str,
    progress: Callable[[float], None] | None = None,
    doubt: Doubt = NO_DOUBT,
) -> list[Heard]:
    """Beats and alarms of all records, each a bed of one ward.

    progress: called with the share that is done. doubt: of the network's card.
    """
    room = msgspec.structs.replace(config.monitor, max_beds=max(len(records), config.monitor.max_beds))
    ward = Ward(msgspec.structs.replace(config, monitor=room), weights, "", device, doubt=doubt)
    beds = {str(number): waves(record, STEP_SECONDS) for number, record in enumerate(records)}
    beats: dict[str, list[BeatRead]] = {bed: [] for bed in beds}
    changes: dict[str, list[Change]] = {bed: [] for bed in beds}
    rounds = 1 + max((-(-len(record.samples) // _step(record)) for record in records), default=0)
    for done, events in enumerate(play(ward, beds), start=1):
        for event in events:
            if isinstance(event, BeatRead):
                beats[event.bed].append(event)
            elif isinstance(event, AlarmChanged):
                changes[event.bed] += event.changes
        if progress:
            progress(done / rounds)
    return [
        Heard(
            beats[bed],
            episodes(changes[bed], len(record.samples)),
            [change for change in changes[bed] if change.what == "held"],
        )
        for bed, record in zip(beds, records, strict=True)
    ]


def narrowed(record: Record, leads: int, pulse: bool, wanted: str = "MLII") -> Record:
    """The record with its best ECG leads, so many at most, and its pulse channels or none. wanted: the first choice.

    A record without an ECG lead keeps all it has.
    """
    columns = ecg_columns(record.leads, record.units, wanted)[:leads]
    kept = sorted({*columns, *(pulse_columns(record.leads, record.units) if pulse else ())})
    if not columns or len(kept) == len(record.leads):
        return record
    return replace(
        record,
        leads=tuple(record.leads[column] for column in kept),
        units=tuple(record.units[column] for column in kept) if record.units else (),
        gain=record.gain[kept],
        baseline=record.baseline[kept],
        samples=record.samples[:, kept],
    )


def _step(record: Record) -> int:
    """Samples of the record in one message."""
    return max(round(STEP_SECONDS * record.rate), 1)


def episodes(changes: Iterable[Change], length: int) -> list[Raised]:
    """The alarm episodes of one record of `length` samples, in order of being raised, hidden ones included.

    An episode that lasts ends with the record.
    """
    open_: dict[str, tuple[int, int, bool, bool]] = {}
    raised = []
    for change in changes:
        if change.what in ("onset", "again"):
            open_[change.kind] = (change.onset, change.index, change.what == "again", change.hidden)
        elif change.what == "end":
            onset, at, again, hidden = open_.pop(change.kind)
            raised.append(Raised(change.kind, onset, change.over, at, again, hidden))
    raised += [Raised(kind, onset, length - 1, at, again, hidden) for kind, (onset, at, again, hidden) in open_.items()]
    return sorted(raised, key=lambda one: (one.raised, one.kind))


def replay(
    settings: AlarmSettings,
    rate: float,
    length: int,
    signs: Sequence[Sign],
    index: NDArray[np.int64],
    classes: NDArray[np.str_],
) -> list[Raised]:
    """The alarm episodes that given beats make, as `episodes` has them.

    length: samples. index: int64 [m], R-peaks, ascending. classes: str [m].
    """
    bed = BedAlarms(settings, rate)
    changes = []
    for sign in signs:
        changes += bed.sign(sign)
    for at, cls in zip(index.tolist(), classes.tolist(), strict=True):
        changes += bed.beat(at, cls)
    return episodes(changes + bed.clock(length - 1), length)


def signs_of(records: Sequence[Record], settings: MonitorSettings) -> list[list[Sign]]:
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
        for intake in intakes:
            intake.blocks.clear()
    return found
