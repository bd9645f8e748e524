"""The limits of a bed as numbers by name."""

from __future__ import annotations

from ecg.settings import AlarmSettings
from ecg.wire.limits import BOUNDS, Limits


def in_force(settings: AlarmSettings) -> dict[str, float]:
    """The limits that a bed may have of its own, as these settings have them."""
    return {name: float(getattr(settings, name)) for name in BOUNDS}


def own_of(limits: Limits | None) -> list[str]:
    """The names of the limits that a bed has in the place of the settings'."""
    return [] if limits is None else list(limits.values())
