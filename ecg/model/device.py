"""The device that a network runs on, by its name in a setting or an option.

Torch is imported only where a device is asked for that it alone knows: it takes a second and 190 MiB.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecg.errors import UserError

if TYPE_CHECKING:
    import torch

CUDA: Final = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
"""The driver's library, which torch loads by the same name."""
ROCM: Final = Path("/dev/kfd")
"""The driver of AMD's GPUs, which torch calls CUDA too."""
THREADS: Final = "OMP_NUM_THREADS"


def device_name(wanted: str) -> str:
    """The device of that name, by its own name; "auto" is CUDA if there is one, else the CPU.

    Raises UserError if it is not there.
    """
    if wanted == "cpu" or (wanted == "auto" and not gpu()):
        return "cpu"
    return str(pick_device(wanted))


def gpu() -> bool:
    """May there be a GPU that torch can use? Asked of the drivers: no for certain, yes for torch to look at."""
    if ROCM.exists():
        return True
    try:
        driver = ctypes.CDLL(CUDA)
        count = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):  # no such library, or one that is something else
        return False


def limit_threads(count: int) -> None:
    """Torch computes with so many threads on a CPU, whether it is imported already or will be; 0: as it likes."""
    if not count:
        return
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    else:
        os.environ[THREADS] = str(count)  # read when its library is loaded


def pick_device(name: str) -> torch.device:
    """The device of that name, for torch; "auto" is CUDA if there is one, else the CPU. Raises UserError if it is not
    there.

    Once a CUDA device is picked, cuDNN computes float32 as float32 in this process. By itself it rounds what it
    multiplies to TensorFloat-32, 10 bits of mantissa: a GPU would say something else of a beat than a CPU.
    """
    import torch

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
    """The device, on which float32 is float32."""
    if device.type == "cuda":
        import torch

        torch.backends.cudnn.allow_tf32 = False
    return device
