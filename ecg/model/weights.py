"""Weights, named NumPy arrays: on disk a safetensors file, and beside it a JSON card with origin, shape and scores.

Both files are written whole under another name and then renamed, so that a full disk or a crash leaves the previous
files. A card whose shapes or features differ from this program's signal path is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from ecg.errors import UserError
from ecg.files import MIB, read, write_atomic
from ecg.model.doubt import NONE, Doubt
from ecg.model.shape import NetShape
from ecg.signal import path as signal_path

SHIPPED: Final = Path(__file__).resolve().parent / "shipped"
"""The folder of the shipped weights."""
MOST_WEIGHTS: Final = 256 * MIB
MOST_CARD: Final = 4 * MIB
"""Bytes of files that are read: strangers may have written them."""

INTENDED_USE: Final = (
    "Research and education: naming the beats of one ECG lead (MLII or like it) by AAMI class in a simulated "
    "bedside monitor. Never for the care of a patient."
)


@dataclass(frozen=True, slots=True)
class Weights:
    """A network as data; `ecg.model.network.built` makes it one that computes.

    arrays: float32 by the names of `NetShape.arrays`, and of those shapes.
    """

    shape: NetShape
    arrays: Mapping[str, NDArray[np.float32]]


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Origin, shape and scores of a set of weights.

    rate: of the windows, Hz. window: samples in one. data_hash: SHA-256 over the beats of the fit.
    commit: git commit of the trainer, "" if unknown. sha256: of the safetensors file, set by `save`.
    metrics: scores by name, as `python -m trainer evaluate --json` writes them, with records and log of the fit.
    doubt: what the probabilities are worth, chosen on held-out patients.
    """

    name: str
    recipe: str
    shape: NetShape
    features: list[str]
    rate: int
    window: int
    data_hash: str
    commit: str
    seed: int
    metrics: dict[str, Any] = msgspec.field(default_factory=dict)
    intended_use: str = INTENDED_USE
    limits: str = ""
    sha256: str = ""
    doubt: Doubt = NONE


def shipped() -> list[str]:
    """Names of the shipped weights, sorted."""
    return sorted(found.stem for found in SHIPPED.glob("*.safetensors"))


def locate(name_or_path: str | Path) -> Path:
    """The safetensors file of shipped weights, or of a path. Raises UserError if there is none."""
    name = str(name_or_path)
    inside = SHIPPED / f"{name}.safetensors"
    if Path(name).name == name and inside.exists():
        return inside
    found = Path(name)
    if found.is_dir():
        found = found / "best.safetensors"
    if found.suffix != ".safetensors":
        found = found.with_name(found.name + ".safetensors")
    if not found.exists():
        raise UserError(f"there are no weights {name!r}: give a .safetensors file or one of {', '.join(shipped())}")
    return found


def save(path: str | Path, weights: Weights, card: Card) -> None:
    """Write `weights` to `path` (.safetensors) and `card` beside it (.json); on failure the previous files stay.

    Raises UserError if the files cannot be written.
    """
    target = Path(path)
    content = _content(weights)
    card = msgspec.structs.replace(card, sha256=hashlib.sha256(content).hexdigest())
    text = msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n"
    write_atomic({target: content, target.with_suffix(".json"): text})


def fingerprint(weights: Weights) -> str:
    """SHA-256 of weights, the one on their card."""
    return hashlib.sha256(_content(weights)).hexdigest()


def _content(weights: Weights) -> bytes:
    """Weights as safetensors."""
    content: bytes = safetensors.numpy.save(dict(weights.arrays))
    return content


def load(name_or_path: str | Path) -> tuple[Weights, Card]:
    """Weights and their card.

    Weights fitted before a feature was known do not hear it: its weights are zero.

    name_or_path: a name out of `shipped()`, a .safetensors file, or a run folder (its best weights).
    Raises UserError if the files are missing or broken or do not fit this signal path.
    """
    source = locate(name_or_path)
    card_file = source.with_suffix(".json")
    try:
        content = read(source, MOST_WEIGHTS)
        card = msgspec.json.decode(read(card_file, MOST_CARD), type=Card)
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from None
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:  # UnicodeDecodeError among them
        raise UserError(f"{card_file} is not a card of weights: {error}") from None
    check(card, str(card_file))
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise UserError(f"{source} is not the file its card describes (SHA-256 differs); fit or fetch it again")
    try:
        weights = _of_shape(card.shape, safetensors.numpy.load(content))
    except (SafetensorError, ValueError, TypeError, KeyError) as error:  # KeyError: a type that NumPy does not know
        raise UserError(f"{source} does not hold the network of its card: {error}") from None
    return with_all_features(weights, card)


def _of_shape(shape: NetShape, arrays: dict[str, NDArray[Any]]) -> Weights:
    """Arrays as weights. Raises ValueError with the first that is not as the shape has it."""
    wanted = shape.arrays()
    for name in sorted(wanted.keys() ^ arrays.keys()):
        raise ValueError(f"{name} is {'missing' if name in wanted else 'of no such network'}")
    for name, size in wanted.items():
        if arrays[name].shape != size or arrays[name].dtype.kind != "f":
            raise ValueError(f"{name} is {arrays[name].dtype} {list(arrays[name].shape)}, not float32 {list(size)}")
    return Weights(shape, {name: arrays[name].astype(np.float32) for name in wanted})


def with_all_features(weights: Weights, card: Card) -> tuple[Weights, Card]:
    """The same network over every feature of this signal path, the ones it was not fitted on at weight zero."""
    names = list(signal_path.FEATURES)
    if card.features == names:
        return weights, card
    shape = msgspec.structs.replace(card.shape, features=len(names))
    arrays = dict(weights.arrays)
    known = [names.index(name) for name in card.features]
    for name, before in (
        ("memory.weight_ih_l0", shape.bottleneck),
        ("head.weight", shape.memory + shape.bottleneck),
    ):
        old = arrays[name]
        new = np.zeros((len(old), before + len(names)), np.float32)
        new[:, :before] = old[:, :before]
        new[:, [before + place for place in known]] = old[:, before:]
        arrays[name] = new
    return Weights(shape, arrays), msgspec.structs.replace(card, features=names, shape=shape)


def check(card: Card, where: str) -> None:
    """Compare a card with this program's signal path. Raises UserError with the first difference and both values."""
    ours: dict[str, object] = {
        "rate": signal_path.MODEL_RATE,
        "window": signal_path.WINDOW,
        "channels": signal_path.CHANNELS,
        "features": [name for name in signal_path.FEATURES if name in card.features],
        "shape.window": signal_path.WINDOW,
        "shape.features": len(card.features),
    }
    theirs: dict[str, object] = {
        "rate": card.rate,
        "window": card.window,
        "channels": card.shape.channels,
        "features": card.features,
        "shape.window": card.shape.window,
        "shape.features": card.shape.features,
    }
    unknown = [name for name in card.features if name not in signal_path.FEATURES]
    if unknown:
        raise UserError(
            f"{where} does not fit this signal path: of the features it has {', '.join(unknown)}; fit the weights anew"
        )
    for name, value in ours.items():
        if theirs[name] != value:
            raise UserError(
                f"{where} does not fit this signal path: {name} is {theirs[name]}, needed is {value}; "
                "fit the weights anew"
            )
