"""Child processes end when they are asked to, or are made to."""

from __future__ import annotations

import subprocess
from typing import Any


def wait_or_kill(process: subprocess.Popen[Any], seconds: float) -> None:
    """Wait until a process that was asked to end has ended; kill it after so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
