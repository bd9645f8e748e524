"""The folder of one run: settings, log, environment, checkpoint and the best weights so far."""

from __future__ import annotations

import csv
import io
import os
import platform
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import torch

from ecg.errors import UserError
from ecg.files import write_atomic, write_json

T = TypeVar("T")
ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder of this program's packages."""
PACKAGES: Final = ("torch", "numpy", "scipy", "scikit-learn", "wfdb", "msgspec")


class Run:
    """A run folder. config.json, environment.json, log.csv, checkpoint.pt, best.safetensors and best.json."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def best(self) -> Path:
        """The best weights so far."""
        return self.folder / "best.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The checkpoint of the last epoch."""
        return self.folder / "checkpoint.pt"

    def begin(self, settings: msgspec.Struct, device: torch.device) -> None:
        """Write settings and environment before the first step. Raises UserError if the folder cannot be written."""
        write_json(self.folder / "config.json", settings)
        write_json(self.folder / "environment.json", environment(device))

    @property
    def recipe(self) -> str:
        """The name of the recipe the run began with. Raises UserError if this is no run."""
        return str(self.settings(dict[str, Any]).get("name", ""))

    def settings(self, kind: type[T]) -> T:
        """The settings the run began with. Raises UserError if it is no run of this kind."""
        path = self.folder / "config.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except OSError as error:
            raise UserError(f"{self.folder} is not the folder of a run: {error.strerror} ({path.name})") from None
        except msgspec.MsgspecError as error:
            raise UserError(f"{path} does not hold the settings of this kind of run: {error}") from None

    def write_log(self, rows: list[dict[str, Any]]) -> None:
        """The whole log anew, one line an epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomic({self.folder / "log.csv": text.getvalue().encode()})


def new_folder(name: str) -> Path:
    """A folder for a new run: runs/<name>-<date and time>."""
    return Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"


def environment(device: torch.device) -> dict[str, Any]:
    """Versions and machine of a run."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "device": str(device),
        "gpu": gpu,
        "packages": versions,
        "commit": commit(),
    }


def commit() -> str:
    """The git commit of this program, with "-dirty" if its code has changed since; "" if unknown."""
    try:
        name = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "ecg/*.py", "trainer/*.py")
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{name}-dirty" if changed else name


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()
