"""Shipped weights of networks over single rows (`ecg.model.lecture`): a safetensors file, and its card beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import msgspec
import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from ecg.errors import UserError
from ecg.files import read, write_atomic
from ecg.model.lecture import NetName, build
from ecg.model.weights import INTENDED_USE, MOST_CARD, MOST_WEIGHTS, SHIPPED

ROWS: Final = SHIPPED / "rows"


class RowCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Origin and scores of a network over rows. sha256: of the safetensors file, set by `save`."""

    name: str
    recipe: str
    net: NetName
    commit: str
    seed: int
    metrics: dict[str, Any]
    intended_use: str = INTENDED_USE
    limits: str = ""
    sha256: str = ""


def shipped() -> list[str]:
    """Names of the shipped networks over rows, sorted."""
    return sorted(found.stem for found in ROWS.glob("*.safetensors"))


def save(path: Path, net: nn.Module, card: RowCard) -> None:
    """Write a network in half precision to `path` (.safetensors) and its card beside it. Raises UserError."""
    tensors = {name: value.detach().cpu() for name, value in net.state_dict().items()}
    halves = {
        name: (value.half() if value.is_floating_point() else value).contiguous() for name, value in tensors.items()
    }
    content = safetensors.torch.save(halves)
    signed = msgspec.structs.replace(card, sha256=hashlib.sha256(content).hexdigest())
    text = msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"
    write_atomic({path: content, path.with_suffix(".json"): text})


def load(name: str, folder: Path = ROWS) -> tuple[nn.Module, RowCard]:
    """A shipped network by name, in single precision and evaluation mode, on the CPU. Raises UserError."""
    source = folder / f"{name}.safetensors"
    if not source.exists():
        raise UserError(f"there is no network over rows {name!r}: there are {', '.join(shipped()) or 'none'}")
    try:
        content = read(source, MOST_WEIGHTS)
        card = msgspec.json.decode(read(source.with_suffix(".json"), MOST_CARD), type=RowCard)
        if hashlib.sha256(content).hexdigest() != card.sha256:
            raise UserError(f"{source} is not the file its card describes (SHA-256 differs); install it again")
        net = build(card.net, 0.0)
        net.load_state_dict(safetensors.torch.load(content))
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from None
    except (msgspec.MsgspecError, SafetensorError, RuntimeError) as error:
        raise UserError(f"{source} does not hold the network of its card: {str(error).splitlines()[-1]}") from None
    return net.float().eval(), card
