"""Checkpoints: the state of a fit on disk, its random numbers among it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecg.errors import UserError
from ecg.files import write_atomic


def random_state(rng: np.random.Generator, device: torch.device) -> dict[str, Any]:
    """The state of every random number generator of a fit."""
    return {
        "numpy": json.dumps(rng.bit_generator.state),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if device.type == "cuda" else [],
    }


def restore_random(state: dict[str, Any], rng: np.random.Generator, device: torch.device) -> None:
    """Draw on from a saved state."""
    rng.bit_generator.state = json.loads(state["numpy"])
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint whole; on failure the previous one stays. Raises UserError."""
    data = io.BytesIO()
    torch.save(content, data)
    write_atomic({path: data.getvalue()})


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint. Raises UserError if there is none or it cannot be read."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"there is no checkpoint {path}: give the folder of a run to resume") from None
    except Exception as error:
        raise UserError(f"{path} is not a checkpoint: {str(error).splitlines()[0]}") from None
    return dict(content)
