"""A clock for time stamps that goes on evenly when the system's clock is set, and the difference between the two.

Durations are measured with `time.monotonic` wherever one process measures both ends. Stamps that travel, such as the
moment a message came, are nanoseconds since the epoch: taken from the system's clock, they would make a bed silent
for an hour, or all signal late, in the moment in which that clock is set forward by an hour.
"""

from __future__ import annotations

import time
from typing import Final

_WALL_NS: Final = time.time_ns()
_MONOTONIC_NS: Final = time.monotonic_ns()
LEAST_NS: Final = 1_000_000
"""A smaller difference is no step: the two clocks are not read in the same moment."""


def steady_ns() -> int:
    """Nanoseconds since the epoch: the system's clock at the start of this program, and even from there."""
    return _WALL_NS + time.monotonic_ns() - _MONOTONIC_NS


def stepped_ns() -> int:
    """By how much the system's clock has been set forward since the start of this program; 0 below a millisecond."""
    stepped = time.time_ns() - steady_ns()
    return stepped if abs(stepped) >= LEAST_NS else 0


def careful_s() -> float:
    """Seconds since the epoch by whichever clock is behind: what is removed by its age is removed by this one."""
    return min(time.time_ns(), steady_ns()) / 1e9
