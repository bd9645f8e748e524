"""Cut beats in one file, small enough to carry to another machine.

An .npz archive. Windows are steps of 1/256 of a beat's size (made-up versions: 1/64), as differences in time, low and
high bytes apart, deflated: a third of float16. The rest are plain arrays. The file holds the digest of the cutter that
made it (trainer.data.behaviour), and a file of another cutter is refused.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_dir

from ecg.errors import UserError
from ecg.files import write_atomic
from ecg.signal.path import CHANNELS, FEATURES, WINDOW
from trainer.data import behaviour
from trainer.data.cutting import SOURCES, CutRecord, Reference, Source

STEP: Final = 256
"""Steps of a beat's size."""
KNOWN_PARTS: Final = ("rate", "index", "classes", "flutter", "rhythms")
"""Arrays of a record's reference."""


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of a file of cut beats.

    behaviour: digest of the cutter (trainer.data.behaviour). step: steps of a beat's size in its windows.
    hashes: SHA-256 over each record's packed beats, by name.
    """

    names: list[str]
    features: list[str]
    channels: int
    window: int
    behaviour: str
    hashes: dict[str, str]
    step: int = STEP

    def data_hash(self, names: list[str]) -> str:
        """SHA-256 over the beats of these records, whatever their order."""
        return hashlib.sha256("".join(self.hashes[name] for name in sorted(names)).encode()).hexdigest()


def default_path() -> Path:
    """The default file of cut beats: beats.npz in the user's cache folder."""
    return Path(user_cache_dir("ecg-monitor-simulator")) / "beats.npz"


def save(path: Path, cuts: list[CutRecord], made_by: str | None = None, step: int = STEP) -> Head:
    """Write the beats of all records and sources to `path`, whole or not at all. Raises UserError.

    made_by: digest of their making (default: of the signal path).
    """
    arrays: dict[str, NDArray[Any]] = {}
    for cut in cuts:
        key = f"{cut.source}/{cut.name}"
        arrays[f"{key}/windows"] = pack(cut.windows, step)
        arrays[f"{key}/features"] = cut.features.astype(np.float16)
        arrays[f"{key}/index"] = cut.index.astype(np.int32)
        arrays[f"{key}/classes"] = cut.classes.astype(np.int8)
        arrays[f"{key}/rhythms"] = cut.rhythms.astype(np.int8)
        arrays[f"known/{cut.name}/rate"] = np.array(cut.reference.rate)
        arrays[f"known/{cut.name}/index"] = cut.reference.index.astype(np.int32)
        arrays[f"known/{cut.name}/classes"] = cut.reference.classes.astype(np.int8)
        arrays[f"known/{cut.name}/flutter"] = cut.reference.flutter
        arrays[f"known/{cut.name}/rhythms"] = cut.reference.rhythms.astype(np.int8)
    names = list(dict.fromkeys(cut.name for cut in cuts))
    hashes = {}
    for name in names:
        digest = hashlib.sha256()
        for key in sorted(key for key in arrays if key.split("/")[1] == name):
            digest.update(key.encode() + arrays[key].tobytes())
        hashes[name] = digest.hexdigest()
    head = Head(
        names=names,
        features=list(FEATURES),
        channels=CHANNELS,
        window=WINDOW,
        behaviour=made_by or behaviour.cutting(),
        hashes=hashes,
        step=step,
    )
    arrays["head"] = np.frombuffer(msgspec.json.encode(head), np.uint8)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_atomic({path: content.getvalue()})
    return head


def head_of(path: Path, made_by: str | None = None) -> Head:
    """The head of a file. Raises UserError if it is missing or broken or `made_by` is another digest."""
    try:
        with np.load(path, allow_pickle=False) as file:
            head = msgspec.json.decode(file["head"].tobytes(), type=Head)
    except FileNotFoundError:
        raise UserError(f"there are no cut beats at {path}: run `python -m trainer prepare` first") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, KeyError, zipfile.BadZipFile, msgspec.MsgspecError):
        raise UserError(f"{path} is not a file of cut beats: run `python -m trainer prepare` again") from None
    if head.behaviour != (made_by or behaviour.cutting()):
        raise UserError(f"{path} was cut by another version of the signal path: run `python -m trainer prepare` again")
    return head


def load(
    path: Path,
    names: list[str] | tuple[str, ...],
    sources: tuple[Source, ...] = SOURCES,
    made_by: str | None = None,
) -> dict[tuple[Source, str], CutRecord]:
    """The beats of the named records. Raises UserError if the file cannot be used or lacks a record.

    made_by: digest of their making (default: of the signal path).
    """
    head = head_of(path, made_by)
    lacking = [name for name in names if name not in head.names]
    if lacking:
        raise UserError(f"{path} lacks record {', '.join(lacking)}: run `python -m trainer prepare` again")
    cuts: dict[tuple[Source, str], CutRecord] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for name in names:
                known = {part: file[f"known/{name}/{part}"] for part in KNOWN_PARTS}
                reference = Reference(
                    name,
                    float(known["rate"]),
                    known["index"].astype(np.int64),
                    known["classes"].astype(np.int64),
                    known["flutter"],
                    known["rhythms"].astype(np.int64),
                )
                for source in sources:
                    key = f"{source}/{name}"
                    index = file[f"{key}/index"].astype(np.int64)
                    cuts[source, name] = CutRecord(
                        source,
                        reference,
                        unpack(file[f"{key}/windows"], (len(index), head.channels, head.window), head.step),
                        file[f"{key}/features"].astype(np.float32),
                        index,
                        file[f"{key}/classes"].astype(np.int64),
                        file[f"{key}/rhythms"].astype(np.int64),
                    )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
        raise UserError(f"{path} is damaged: run `python -m trainer prepare` again") from None
    return cuts


def pack(windows: NDArray[np.float32], step: int = STEP) -> NDArray[np.uint8]:
    """Windows (float32 [n, channels, window], at most 127 in size) as deflated bytes."""
    steps = np.rint(windows * step).astype(np.int16)
    changes = np.diff(steps, axis=-1, prepend=np.int16(0)).astype("<i2")
    planes = np.ascontiguousarray(changes.reshape(-1).view(np.uint8).reshape(-1, 2).T)
    return np.frombuffer(zlib.compress(planes.tobytes(), 6), np.uint8)


def unpack(packed: NDArray[np.uint8], shape: tuple[int, ...], step: int = STEP) -> NDArray[np.float32]:
    """The windows of `pack`, to within half a step. Raises ValueError or zlib.error for damaged bytes."""
    planes = np.frombuffer(zlib.decompress(packed.tobytes()), np.uint8).reshape(2, -1)
    changes = np.ascontiguousarray(planes.T).view("<i2").reshape(shape)
    steps = np.cumsum(changes, axis=-1, dtype=np.int32)
    windows: NDArray[np.float32] = (steps / np.float32(step)).astype(np.float32)
    return windows
