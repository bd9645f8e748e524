"""Live ECG in; beats, alerts, alarms and a screen out.

From Python: `from monitor import ArrayWard` (monitor/api.py). It is fetched when it is asked for, since it brings the
network and all it needs with it.
"""

from typing import TYPE_CHECKING, Any

from ecg import __version__

if TYPE_CHECKING:
    from monitor.api import ArrayWard

__all__ = ["ArrayWard", "__version__"]


def __getattr__(name: str) -> Any:
    """`ArrayWard`, the first time it is asked for."""
    if name == "ArrayWard":
        from monitor.api import ArrayWard

        return ArrayWard
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
