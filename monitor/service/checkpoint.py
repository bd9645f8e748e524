"""The memory of all beds on disk: saved and put back, a monitor goes on as if nothing had happened.

One file, written whole under another name and then renamed: HEAD, which ends in the version; SHA-256 over HEAD and the
rest; MessagePack. It holds what the signal path, the network, the alarms and the intake remember of each bed and the
sample ledger, but no history for the screen. A memory means nothing to other weights, nor to a program that remembers
other things: both are compared by content, never by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ecg.errors import UserError
from ecg.files import read, write_atomic
from ecg.model.weights import fingerprint
from ecg.signal.path import SignalPath
from monitor.alarms import BedState, SavedAlarms, WardAlarms
from monitor.service.refused import keep_aside
from monitor.ward.bed import SavedBed
from monitor.ward.intake import REMEMBERED
from monitor.ward.ledger import RunCount
from monitor.ward.pieces import Signal
from monitor.ward.state import SavedPatient
from monitor.ward.ward import Ward

HEAD: Final = b"ECGWARD\x04"
LARGEST: Final = 1 << 53
"""No count and no sample index is larger."""
MOST_BYTES: Final = 1 << 30
"""Of a file: three times what a full ward has."""
TRIAL_SECONDS: Final = 2.0

_Intake: Any = msgspec.defstruct("_Intake", [(name.lstrip("_"), kind) for name, kind in REMEMBERED.items()])


class Array(msgspec.Struct, array_like=True):
    """An array of numbers."""

    kind: str
    shape: list[int]
    data: bytes


class Patient(msgspec.Struct, kw_only=True):
    """One bed, as in `SavedPatient`. runs: its own in the ledger: (run, published, received, lost)."""

    name: str
    intake: msgspec.Raw
    heart_rate: float | None
    recent_v: list[int]
    gap_at: int
    any_beat: bool
    lead: int
    back_at: int
    begun_at: int
    paths: list[dict[str, Array]]
    memories: list[Array]
    alarms: SavedAlarms
    runs: list[tuple[str, int | None, int, int]]


class SavedWard(msgspec.Struct, kw_only=True):
    """Everything. model: name of the weights, for people; weights: their SHA-256. layout: see `layout`."""

    model: str
    weights: str
    layout: dict[str, str]
    repeated: int
    junk: int
    beats: int
    beds: list[Patient]
    runs: list[tuple[str, str, int | None, int, int]]


def layout(ward: Ward) -> dict[str, str]:
    """All that this program remembers of a bed at 360 Hz: types and shapes by name."""
    slot, rate, start = np.zeros(1, np.int64), np.full(1, 360.0), np.zeros(1, np.int64)
    path, alarms = SignalPath(1), WardAlarms(ward.config.alarms, 1)
    path.reset(slot, rate, start)
    alarms.reset(0, 360.0, 0)
    signs = {name: np.asarray(value) for name, value in alarms.save(0).signs.items()}
    rows = {f"path {name}": row for name, row in path.save(0).items()} | {f"sign {n}": row for n, row in signs.items()}
    memory = ward.engine.save(0)
    return {
        "memory": f"float32 {memory.shape}",
        **{name: f"{row.dtype} {row.shape}" for name, row in rows.items()},
        **{f"intake {name}": str(kind) for name, kind in REMEMBERED.items()},
        **{f"alarms {field.name}": str(field.type) for field in msgspec.structs.fields(BedState)},
    }


def packing(ward: Ward) -> Generator[None, None, bytes]:
    """The content of the file, made bed by bed with a rest after each: what else is to be done can be done there.

    No signal may wait in the ward at a rest (`Ward.step`). Each bed is saved as it is in its turn.
    """
    ledger, beds = ward.ledger, []
    keys: dict[str, set[tuple[str, str]]] = {}
    for key in ledger.runs:
        keys.setdefault(key[0], set()).add(key)
    told: set[tuple[str, str]] = set()
    for name in list(ward.beds):
        saved = ward.save(name)
        if saved is not None:
            own = {*keys.get(name, ()), ledger.key(name, ward.beds[name].stream)} & ledger.runs.keys()
            told |= own
            beds.append(_patient(saved, [(key[1], *_told(ledger.runs[key])) for key in sorted(own)]))
        yield
    others = [(*key, *_told(count)) for key, count in ledger.runs.items() if key not in told]
    payload = msgspec.msgpack.encode(
        SavedWard(
            model=ward.model,
            weights=fingerprint(ward.engine.weights),
            layout=layout(ward),
            repeated=ledger.repeated,
            junk=ledger.junk,
            beats=ledger.beats,
            beds=beds,
            runs=others,
        )
    )
    return seal(payload)


def pack(ward: Ward) -> bytes:
    """The content of the file, at once."""
    making = packing(ward)
    while True:
        try:
            next(making)
        except StopIteration as done:
            content: bytes = done.value
            return content


def seal(payload: bytes) -> bytes:
    """Head and checksum before the rest of the file."""
    return HEAD + hashlib.sha256(HEAD + payload).digest() + payload


def unpack(ward: Ward, content: bytes) -> int:
    """Put back what `pack` gave into a ward that is empty; returns the number of beds.

    Raises UserError, and nothing else, where the content is damaged, belongs to another version or network, or does
    not work here: it is tried in another ward first.
    """
    saved = _opened(content)
    _compare(ward, saved)
    try:
        _try(ward, saved)
        _restore(ward, saved)
    except Exception as error:  # whatever a strange file makes of it
        raise UserError(f"it does not fit this monitor ({type(error).__name__}: {error})") from None
    return len(saved.beds)


def save(ward: Ward, path: Path) -> None:
    """Write the memory of all beds. Raises UserError where it cannot be written; what was there is kept."""
    write_atomic({path: pack(ward)})


def load(ward: Ward, path: Path) -> str:
    """Put the memory back; returns one sentence on what was done. Nothing there, or damaged: the ward starts fresh."""
    try:
        content = read(path, MOST_BYTES)
    except FileNotFoundError:
        return f"there is no saved memory in {path} yet: all beds start fresh"
    except OSError as error:
        return f"the saved memory {path} cannot be read ({error.strerror}): all beds start fresh"
    try:
        return f"memory of {unpack(ward, content)} beds taken from {path}"
    except UserError as error:
        ward.clear()
        return f"the saved memory {path} is not used, {error}: all beds start fresh, {keep_aside(path)}"


def _opened(content: bytes) -> SavedWard:
    """What stands in a file, its checksum compared. Raises UserError."""
    start = len(HEAD) + hashlib.sha256().digest_size
    if content[: len(HEAD) - 1] != HEAD[:-1]:
        raise UserError("it is not a saved memory, or one of an older version")
    if content[: len(HEAD)] != HEAD:
        raise UserError(f"it is of version {content[len(HEAD) - 1 : len(HEAD)].hex()}, not {HEAD[-1:].hex()}")
    if content != seal(content[start:]):
        raise UserError("it is damaged (its SHA-256 differs)")
    try:
        saved: SavedWard = msgspec.msgpack.decode(content[start:], type=SavedWard)
    except (msgspec.MsgspecError, RecursionError, MemoryError, ValueError) as error:
        raise UserError(f"it is not a saved memory ({error})") from None
    return saved


def _compare(ward: Ward, saved: SavedWard) -> None:
    """Are these our weights, and does the file remember what we do? Raises UserError that says what differs."""
    ours = fingerprint(ward.engine.weights)
    if saved.weights != ours:
        raise UserError(
            f"it is of the weights {saved.model[:80]}, SHA-256 {saved.weights[:12]}, not of {ward.model} {ours[:12]}"
        )
    known = layout(ward)
    differs = sorted(name for name in saved.layout.keys() | known.keys() if saved.layout.get(name) != known.get(name))
    if differs:
        name = differs[0]
        there, here = saved.layout.get(name, "nothing"), known.get(name, "nothing")
        raise UserError(f"it remembers other things than this version ({name[:80]}: {there[:80]}, here {here})")


def _try(ward: Ward, saved: SavedWard) -> None:
    """A ward of its own goes on with it for a while: whatever goes wrong does so there."""
    trial = Ward(ward.config, ward.engine.weights, ward.model, ward.engine.device, doubt=ward.doubt)
    _restore(trial, saved)
    for bed in [bed for bed in trial.beds.values() if not bed.intake.ended]:
        silence = np.zeros(round(TRIAL_SECONDS * bed.rate), np.float32)
        trial.feed(bed.name, Signal(bed.intake.next, silence, second=silence if len(bed.intake.channels) > 1 else None))
    trial.step()
    trial.end_all()
    trial.step()


def _restore(ward: Ward, saved: SavedWard) -> None:
    ledger = ward.ledger
    ledger.repeated, ledger.junk, ledger.beats = (_count(one) for one in (saved.repeated, saved.junk, saved.beats))
    for bed, run, published, received, lost in saved.runs:
        ledger.runs[bed, run] = _run(published, received, lost)
    for patient in saved.beds:
        for run, published, received, lost in patient.runs:
            ledger.runs[patient.name, run] = _run(published, received, lost)
        ward.restore(_saved(patient))


def _told(count: RunCount) -> tuple[int | None, int, int]:
    return count.published, count.received, count.lost


def _run(published: int | None, received: int, lost: int) -> RunCount:
    return RunCount(published if published is None else _count(published), _count(received), _count(lost))


def _count(value: int) -> int:
    if not 0 <= value <= LARGEST:
        raise ValueError(f"a count of {value}")
    return value


def _patient(saved: SavedPatient, runs: list[tuple[str, int | None, int, int]]) -> Patient:
    bed = saved.bed
    intake = _Intake(**{name.lstrip("_"): value for name, value in bed.intake.items()})
    return Patient(
        name=bed.name,
        intake=msgspec.Raw(msgspec.msgpack.encode(intake)),
        heart_rate=bed.heart_rate,
        recent_v=bed.recent_v,
        gap_at=bed.gap_at,
        any_beat=bed.any_beat,
        lead=bed.lead,
        back_at=bed.back_at,
        begun_at=bed.begun_at,
        paths=[{name: _array(row) for name, row in path.items()} for path in saved.paths],
        memories=[_array(memory) for memory in saved.memories],
        alarms=saved.alarms,
        runs=runs,
    )


def _saved(patient: Patient) -> SavedPatient:
    """What a bed of the file remembers. Raises ValueError and its kin."""
    intake = msgspec.msgpack.decode(patient.intake, type=_Intake)
    for index in (patient.gap_at + 1, patient.begun_at, *patient.recent_v):
        _count(index)
    return SavedPatient(
        bed=SavedBed(
            name=patient.name,
            intake={name: getattr(intake, name.lstrip("_")) for name in REMEMBERED},
            heart_rate=patient.heart_rate,
            recent_v=patient.recent_v,
            gap_at=patient.gap_at,
            any_beat=patient.any_beat,
            lead=patient.lead,
            back_at=patient.back_at,
            begun_at=patient.begun_at,
        ),
        paths=[{name: _values(row) for name, row in path.items()} for path in patient.paths],
        memories=[_values(memory) for memory in patient.memories],
        alarms=patient.alarms,
    )


def _array(row: np.ndarray[Any, Any]) -> Array:
    return Array(row.dtype.str, list(row.shape), row.tobytes())


def _values(saved: Array) -> np.ndarray[Any, Any]:
    if len(saved.kind) > 4:
        raise ValueError(f"numbers of type {saved.kind[:20]}")
    return np.frombuffer(saved.data, np.dtype(saved.kind)).reshape(saved.shape)
