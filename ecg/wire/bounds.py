"""Bounds of what goes over MQTT, and the types of fields that hold them. For decoding alone."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from ecg.records.scaling import LEAST_GAIN, MOST_BASELINE, MOST_GAIN

SCHEMA: Final = 1
MOST_WAVE_BYTES: Final = 4 << 20
MOST_JSON_BYTES: Final = 1 << 20
MOST_LEADS: Final = 64
MOST_ITEMS: Final = 1 << 16
"""Items of a list, and keys of an object, at most."""
LARGEST: Final = 1 << 53
"""Counts and sample indices at most: what JavaScript and a float64 hold exactly."""
Version = Annotated[int, Meta(ge=0, le=LARGEST)]
Count = Annotated[int, Meta(ge=0, le=LARGEST)]
Nanoseconds = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Rate = Annotated[float, Meta(ge=100, le=10_000)]
Gain = Annotated[float, Meta(ge=LEAST_GAIN, le=MOST_GAIN)]
Baseline = Annotated[float, Meta(ge=-MOST_BASELINE, le=MOST_BASELINE)]
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(ge=0, le=1e9)]
Milliseconds = Annotated[float, Meta(ge=-1e15, le=1e15)]
"""A latency may be below 0: two machines have two clocks."""
BedName = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(max_length=256)]
Word = Annotated[str, Meta(max_length=64)]
Leads = Annotated[list[Word], Meta(max_length=MOST_LEADS)]
Units = Annotated[list[Word], Meta(max_length=MOST_LEADS)]
Gains = Annotated[list[Gain], Meta(max_length=MOST_LEADS)]
Baselines = Annotated[list[Baseline], Meta(max_length=MOST_LEADS)]
