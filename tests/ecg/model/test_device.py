from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ecg.errors import UserError
from ecg.model import device
from ecg.model.device import device_name, pick_device


def test_the_cpu_is_always_there() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda")


@pytest.mark.parametrize(
    ("name", "told"),
    [("abacus", "is not known"), ("", "is not known"), ("cuda:99", "is not there"), ("meta", "computes nothing")],
)
def test_a_device_that_cannot_be_used_is_one_sentence(name: str, told: str) -> None:
    with pytest.raises(UserError, match=f"device '{name}' {told}|device '{name}' is not there or {told}") as caught:
        pick_device(name)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:0"])
def test_a_gpu_that_is_picked_computes_float32_as_float32(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert pick_device(name).type == "cuda"
    assert not torch.backends.cudnn.allow_tf32


def driver(status: int, count: int) -> SimpleNamespace:
    """A driver's library, which says that there are so many devices."""

    def tell(place: object) -> int:
        place._obj.value = count  # type: ignore[attr-defined]
        return 0

    return SimpleNamespace(cuInit=lambda _: status, cuDeviceGetCount=tell)


@pytest.mark.parametrize(
    ("library", "kernel", "there"),
    [
        (None, False, False),
        (driver(100, 0), False, False),
        (driver(0, 0), False, False),
        (driver(0, 2), False, True),
        (None, True, True),
    ],
)
def test_a_gpu_is_looked_for_at_its_driver(
    library: SimpleNamespace | None, kernel: bool, there: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def load(name: str) -> SimpleNamespace:
        if library is None:
            raise OSError(f"{name}: cannot open shared object file")
        return library

    monkeypatch.setattr(device, "ctypes", SimpleNamespace(CDLL=load, c_int=ctypes.c_int, byref=ctypes.byref))
    monkeypatch.setattr(device, "ROCM", tmp_path if kernel else tmp_path / "none")
    assert device.gpu() is there
    asked: list[str] = []

    def pick(name: str) -> torch.device:
        asked.append(name)
        return torch.device("cuda:0")

    monkeypatch.setattr(device, "pick_device", pick)
    assert device_name("auto") == ("cuda:0" if there else "cpu")
    assert asked == (["auto"] if there else [])
    assert device_name("cpu") == "cpu" and device_name("cuda") == "cuda:0"


def test_a_gpu_that_torch_uses_has_a_driver_that_is_found() -> None:
    assert device.gpu() or not torch.cuda.is_available()


def test_threads_are_limited_where_torch_is_there_and_before_it_is() -> None:
    torch.set_num_threads(2)
    device.limit_threads(0)
    assert torch.get_num_threads() == 2
    device.limit_threads(1)
    assert torch.get_num_threads() == 1
    program = (
        "from ecg.model.device import limit_threads as limit\nlimit(1)\nimport torch\nprint(torch.get_num_threads())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name != device.THREADS},
    )
    assert done.stdout == "1\n"
