"""The memory of all beds on disk: saved and put back, a monitor goes on as if nothing had happened.

One MessagePack file, written whole under another name and then renamed. It holds what the signal path, the network,
the alarms and the intake remember of each bed and the sample ledger, but no history for the screen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.wire.messages import Wave
from monitor.alarms import SavedAlarms
from monitor.ward.bed import Bed
from monitor.ward.intake import Intake, Waiting
from monitor.ward.lead_off import Line
from monitor.ward.ledger import RunCount
from monitor.ward.ward import Ward

VERSION = 2


class Array(msgspec.Struct, array_like=True):
    """One bed's row of a state array."""

    kind: str
    shape: list[int]
    data: bytes


class SavedIntake(msgspec.Struct, kw_only=True):
    """What the intake of one bed remembers, under the names of its fields."""

    stream: str
    record: str
    rate: float
    leads: list[str]
    column: int
    next: int
    ended: bool
    lead_off: bool
    last: int
    last_mv: float
    line: Line
    joined: bool
    past: list[str]
    waiting: list[tuple[Wave, int]]


class SavedBed(msgspec.Struct, kw_only=True):
    """One bed. memory: the network's, [parts, hidden]. path: rows of the signal path's state."""

    name: str
    intake: SavedIntake
    alarms: SavedAlarms
    memory: Array
    path: dict[str, Array]
    heart_rate: float | None
    recent_v: list[int]
    any_beat: bool


class SavedWard(msgspec.Struct, kw_only=True):
    """Everything. model: name of the weights whose memory this is; another's means nothing."""

    v: int
    model: str
    repeated: int
    junk: int
    beats: int
    runs: list[tuple[str, str, int | None, int, int]]
    beds: list[SavedBed]


_FIELDS = ("stream", "record", "rate", "leads", "column", "next", "ended", "lead_off")
_HIDDEN = ("last", "last_mv", "line", "joined", "past")


def pack(ward: Ward) -> bytes:
    """All beds of a ward whose signal has been processed (`Ward.step`)."""
    ledger = ward.ledger
    return msgspec.msgpack.encode(
        SavedWard(
            v=VERSION,
            model=ward.model,
            repeated=ledger.repeated,
            junk=ledger.junk,
            beats=ledger.beats,
            runs=[(bed, run, c.published, c.received, c.lost) for (bed, run), c in ledger.runs.items()],
            beds=[_save(ward, bed) for bed in ward.beds.values() if bed.intake.stream],
        )
    )


def unpack(ward: Ward, content: bytes) -> int:
    """Put back what `pack` gave into a ward that is empty; returns the number of beds.

    Raises UserError where the content is damaged or belongs to another version or network.
    """
    try:
        saved = msgspec.msgpack.decode(content, type=SavedWard)
    except msgspec.MsgspecError as error:
        raise UserError(f"it is not a saved memory ({error})") from None
    if saved.v != VERSION or saved.model != ward.model:
        raise UserError(f"it is of version {saved.v} and weights {saved.model}, not {VERSION} and {ward.model}")
    ledger = ward.ledger
    ledger.repeated, ledger.junk, ledger.beats = saved.repeated, saved.junk, saved.beats
    for bed, run, published, received, lost in saved.runs:
        ledger.runs[bed, run] = RunCount(published, received, lost)
    try:
        for one in saved.beds:
            _restore(ward, one)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"it does not fit this monitor ({error})") from None
    return len(saved.beds)


def save(ward: Ward, path: Path) -> None:
    """Write the memory of all beds. Raises UserError where it cannot be written; what was there is kept."""
    write_atomic({path: pack(ward)})


def load(ward: Ward, path: Path) -> str:
    """Put the memory back; returns one sentence on what was done. Nothing there, or damaged: the ward starts fresh."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return f"there is no saved memory in {path} yet: all beds start fresh"
    except OSError as error:
        return f"the saved memory {path} cannot be read ({error.strerror}): all beds start fresh"
    try:
        return f"memory of {unpack(ward, content)} beds taken from {path}"
    except UserError as error:
        ward.clear()
        return f"the saved memory {path} is not used, {error}: all beds start fresh"


def _array(values: Any) -> Array:
    row = np.asarray(values)
    return Array(row.dtype.str, list(row.shape), row.tobytes())


def _values(saved: Array) -> np.ndarray[Any, Any]:
    return np.frombuffer(saved.data, np.dtype(saved.kind)).reshape(saved.shape)


def _save(ward: Ward, bed: Bed) -> SavedBed:
    intake = bed.intake
    return SavedBed(
        name=bed.name,
        intake=SavedIntake(
            **{name: getattr(intake, name) for name in _FIELDS},
            **{name: getattr(intake, f"_{name}") for name in _HIDDEN},
            waiting=[(waiting.wave, waiting.received_ns) for waiting in intake._waiting],
        ),
        alarms=ward.alarms.save(bed.slot),
        memory=_array(ward.engine.memory[:, bed.slot].cpu().numpy()),
        path={name: _array(rows[bed.slot]) for name, rows in ward.path.state.items()},
        heart_rate=bed.heart_rate,
        recent_v=list(bed.recent_v),
        any_beat=bed.any_beat,
    )


def _restore(ward: Ward, saved: SavedBed) -> None:
    bed = ward.admit(saved.name)
    slot = np.array([bed.slot], np.int64)
    ward.path.reset(slot, np.array([saved.intake.rate]), np.zeros(1, np.int64))
    for name, array in saved.path.items():
        rows, values = ward.path.state[name], _values(array)
        if name == "inputs":  # as wide as the widest kernel in use; the newest stand last
            width = min(rows.shape[1], len(values))
            rows[bed.slot, rows.shape[1] - width :] = values[len(values) - width :]
        else:
            rows[bed.slot] = values
    ward.engine.memory[:, bed.slot] = torch.from_numpy(_values(saved.memory).copy()).to(ward.engine.device)
    ward.alarms.restore(bed.slot, saved.alarms)
    intake: Intake = bed.intake
    for name in _FIELDS:
        setattr(intake, name, getattr(saved.intake, name))
    for name in _HIDDEN:
        setattr(intake, f"_{name}", getattr(saved.intake, name))
    intake._waiting = [Waiting(wave.index, wave, received) for wave, received in saved.intake.waiting]
    bed.heard_s, bed.online = ward.now_s(), not intake.ended  # a bed not heard again yet has not gone for that
    bed.heart_rate, bed.any_beat = saved.heart_rate, saved.any_beat
    bed.recent_v.extend(saved.recent_v)
