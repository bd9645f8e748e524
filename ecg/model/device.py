"""The device that a network runs on, by its name in a setting or an option."""

from __future__ import annotations

import torch

from ecg.errors import UserError


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA if there is one, else the CPU. Raises UserError if it is not there.

    Once a CUDA device is picked, cuDNN computes float32 as float32 in this process. By itself it rounds what it
    multiplies to TensorFloat-32, 10 bits of mantissa: a GPU would say something else of a beat than a CPU.
    """
    if name == "auto":
        return _exact(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f'device {name!r} is not known: give "auto", "cpu", "cuda" or "cuda:0"') from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f'device {name!r} is not there: this machine has no CUDA; use "cpu" or "auto"')
    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UserError(f'device {name!r} is not there or computes nothing: use "auto" or "cpu"') from None
    return _exact(device)


def _exact(device: torch.device) -> torch.device:
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    return device
