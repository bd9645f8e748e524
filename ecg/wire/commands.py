"""Commands to a bed's producer, and its answers: JSON, every field bounded, no others allowed."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ecg.wire.bounds import Count, Name, Version, Word

Value = Annotated[float, Meta(ge=-1e4, le=1e4)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Strengths = Annotated[dict[Word, Annotated[float, Meta(gt=0, le=5)]], Meta(max_length=16)]
CommandKind = Literal[
    "set",
    "script",
    "pause",
    "resume",
    "freeze",
    "speed",
    "jump",
    "next",
    "drop",
    "duplicate",
    "reorder",
    "delay",
    "corrupt",
]


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a bed's producer is asked to do, on ``<root>/<bed>/command``. Every field is bounded, no more may come.

    do: "set" changes a simulated heart by the fields from `rhythm` to `swap`, for `seconds` or for good, within `over`
    s; "script" begins `scenario`; "pause" and "resume" the bed, "freeze" its signal (until "resume"); "speed" it by
    `factor`; "jump" to `seconds` of a record, "next" record; "drop", "duplicate", "reorder", "delay" and "corrupt" the
    next `messages` waves ("delay": by `behind` messages).
    id: comes back in the answer.
    """

    v: Version
    do: CommandKind
    id: Word = ""
    rhythm: Word | None = None
    rate: Value | None = None
    pr: Value | None = None
    qt: Value | None = None
    st: Value | None = None
    territory: Word | None = None
    potassium: Value | None = None
    systolic: Value | None = None
    breaths: Value | None = None
    variability: Value | None = None
    ectopy: Word | None = None
    per_minute: Value | None = None
    artefacts: Strengths | None = None
    off: Annotated[list[Word], Meta(max_length=16)] | None = None
    swap: Word | None = None
    over: Seconds | None = None
    seconds: Seconds | None = None
    factor: Annotated[float, Meta(ge=0.1, le=100)] | None = None
    scenario: Word | None = None
    record: Name | None = None
    messages: Annotated[int, Meta(ge=1, le=1000)] | None = None
    behind: Annotated[int, Meta(ge=1, le=64)] | None = None


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command, on ``<root>/<bed>/ack``. index: first sample of `stream` that may differ because of it;
    no sample before it does. ok: false where nothing changes, for the reason in `said`.
    """

    v: Version
    ok: bool
    do: Word
    id: Word = ""
    stream: Name = ""
    index: Count | None = None
    said: Name = ""


def words(command: Command) -> str:
    """The fields of a command in words, without its kind and its id: "rhythm=vt seconds=20"."""
    told = []
    for name in command.__struct_fields__:
        value = getattr(command, name)
        if name in ("v", "do", "id") or value is None:
            continue
        if isinstance(value, dict):
            value = ",".join(f"{key}:{size:g}" for key, size in value.items())
        elif isinstance(value, list):
            value = ",".join(value) or "none"
        told.append(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}")
    return " ".join(told)
