"""How Python runs a service: short turns for threads, and a cycle collector that seldom stops everything."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

SWITCH_SECONDS: Final = 0.001
"""How long one thread may keep others from running: short, so that a message is read when it comes."""
COLLECT: Final = (10_000, 100, 1000)
"""Thresholds of Python's cycle collector: as it comes, it stops a ward of a thousand beds for 0.8 s every ten
seconds, to look through a history that holds no cycles.
"""


def settle() -> None:
    """Set the process up, once everything has been loaded that stays."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def give_back() -> None:
    """Give memory that is free back to the system, where the C library can (glibc): it keeps what lies below anything
    that is still in use, such as a backlog that was read long ago. It takes milliseconds, without Python's lock.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def name_thread(name: str) -> None:
    """Give this thread a name that the system's own tools show, where that is possible (Linux)."""
    with suppress(OSError):
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name, encoding="ascii")
