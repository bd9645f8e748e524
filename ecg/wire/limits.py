"""Limits of one bed's alarms, on ``<root>/<bed>/limits``: JSON, retained, every field bounded, no others allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from ecg.wire.bounds import Version

Slow = Annotated[float, Meta(ge=10, le=150)]
Fast = Annotated[float, Meta(ge=60, le=300)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Limits of a bed in the place of those of the settings; null or absent leaves the settings' own.

    Rates in beats per minute, silences in seconds, as in the settings' [alarms].
    """

    v: Version
    asystole_seconds: Annotated[float, Meta(ge=2, le=20)] | None = None
    pause_seconds: Annotated[float, Meta(ge=1, le=15)] | None = None
    extreme_tachycardia_rate: Fast | None = None
    tachycardia_rate: Fast | None = None
    bradycardia_rate: Slow | None = None
    extreme_bradycardia_rate: Slow | None = None
    frequent_v_per_minute: Annotated[int, Meta(ge=1, le=200)] | None = None

    def values(self) -> dict[str, float]:
        """The limits that are given, by name."""
        given = {name: getattr(self, name) for name in BOUNDS}
        return {name: value for name, value in given.items() if value is not None}


class Bound(NamedTuple):
    """What a limit may be. step: by which a screen changes it."""

    least: float
    most: float
    step: float


BOUNDS: Final[dict[str, Bound]] = {
    "extreme_tachycardia_rate": Bound(60, 300, 5),
    "tachycardia_rate": Bound(60, 300, 5),
    "bradycardia_rate": Bound(10, 150, 5),
    "extreme_bradycardia_rate": Bound(10, 150, 5),
    "asystole_seconds": Bound(2, 20, 0.5),
    "pause_seconds": Bound(1, 15, 0.5),
    "frequent_v_per_minute": Bound(1, 200, 1),
}
"""Every limit that a bed may have of its own."""
BELOW: Final = (
    ("extreme_bradycardia_rate", "bradycardia_rate"),
    ("bradycardia_rate", "tachycardia_rate"),
    ("tachycardia_rate", "extreme_tachycardia_rate"),
    ("pause_seconds", "asystole_seconds"),
)
"""(lower, higher): limits that must stand in this order."""


def contradiction(limits: Mapping[str, float]) -> str:
    """Why limits do not fit one another, in one sentence; "" where they do. limits: all of BOUNDS by name."""
    for lower, higher in BELOW:
        if limits[lower] >= limits[higher]:
            return f"{lower} {limits[lower]:g} is not below {higher} {limits[higher]:g}"
    return ""
