"""What another program says of a beat, read out of its own JSON by paths such as ``$.result.class``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ecg.errors import UserError
from ecg.records.aami import CLASS_OF, CLASSES

FIELDS: Final = (
    *("BEATS", "INDEX", "TIME", "TIME_MS", "CLASS", "STREAM", "BED"),
    *("ALARMS", "ALARM", "ONSET", "UNTIL"),
)
DEFAULTS: Final = {
    **{"INDEX": "$.index", "CLASS": "$.class", "STREAM": "$.stream"},
    **{"ALARMS": "$.active", "ALARM": "$.kind", "ONSET": "$.onset", "UNTIL": "$.index"},
}
"""The names of our own beats and alarms."""
PATH: Final = re.compile(r"\$?(\.?[^.\[\]$]+|\[\d+\])*")
STEP: Final = re.compile(r"\.?([^.\[\]$]+)|\[(\d+)\]")
MOST_BYTES: Final = 1 << 20
MOST_BEATS: Final = 10_000
LARGEST: Final = 1 << 53
OTHER: Final = len(CLASSES)
"""The number of a class that is none of AAMI's, and of an answer without one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One beat as another program has it. Of index (samples) and seconds (from the stream's begin) one is given.

    kind: the number of its AAMI class, OTHER for what is none. stream, bed: "" where it does not say.
    """

    kind: int
    index: int | None = None
    seconds: float | None = None
    stream: str = ""
    bed: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm as another program has it. onset: sample index. until: the sample up to which it was told, or onset."""

    kind: str
    onset: int
    until: int
    stream: str = ""
    bed: str = ""


class UnreadableError(ValueError):
    """A message that holds no beat; the text says why."""


class Reader:
    """Reads answers out of messages. Raises UserError for fields, paths or classes that cannot be.

    paths: by field name (FIELDS); BEATS is the path to a list, the others then count from its items, as ALARM and ONSET
    count from those of ALARMS. called: AAMI class or alarm by the name that the other program gives it; AAMI's own
    names and the symbols of MIT-BIH are known. alarms: names of alarms that are graded.
    """

    def __init__(self, paths: Mapping[str, str], called: Mapping[str, str], alarms: Sequence[str] = ()) -> None:
        for field, path in paths.items():
            if field not in FIELDS:
                raise UserError(f"--map {field}={path}: no such field; there are {', '.join(FIELDS)}")
            if not PATH.fullmatch(path):
                raise UserError(f"--map {field}={path} is no path: give one such as $.beat.class or $.beats[0].t")
        for name, kind in called.items():
            if kind not in (*CLASSES, *alarms):
                known = ", ".join((*CLASSES, *alarms))
                raise UserError(f"--call {name}={kind}: {kind} is no class; there are {known}")
        merged = {**DEFAULTS, **paths}
        if "TIME" in paths or "TIME_MS" in paths:
            merged.pop("INDEX" if "INDEX" not in paths else "", None)
        self._steps = {field: _steps(path) for field, path in merged.items()}
        kinds = {**CLASS_OF, **called}
        self._kinds = {name: CLASSES.index(kind) for name, kind in kinds.items() if kind in CLASSES}
        self._alarms = {**dict(zip(alarms, alarms, strict=True)), **called}

    def read(self, payload: bytes) -> list[Answer]:
        """The beats in a message. Raises UnreadableError with one sentence, and nothing else."""
        tree = _tree(payload)
        items = self._found(tree, "BEATS") if "BEATS" in self._steps else [tree]
        if not isinstance(items, list) or len(items) > MOST_BEATS:
            raise UnreadableError("no list of beats where --map BEATS says")
        return [self._answer(item) for item in items]

    def alarms(self, payload: bytes) -> list[Raised]:
        """The alarms in a message that are graded. Raises UnreadableError."""
        tree = _tree(payload)
        items = self._found(tree, "ALARMS")
        items = [items] if isinstance(items, dict) else items
        if not isinstance(items, list) or len(items) > MOST_BEATS:
            raise UnreadableError("no list of alarms where --map ALARMS says")
        until, stream, bed = self._number(tree, "UNTIL"), self._text(tree, "STREAM"), self._text(tree, "BED")
        made = []
        for item in items:
            kind, onset = self._alarms.get(str(self._found(item, "ALARM"))), self._number(item, "ONSET")
            if kind is None:
                continue
            if onset is None:
                raise UnreadableError("an alarm without an onset where --map says")
            made.append(Raised(kind, round(onset), round(onset if until is None else until), stream, bed))
        return made

    def _answer(self, item: object) -> Answer:
        index, seconds = self._number(item, "INDEX"), self._number(item, "TIME")
        if seconds is None and (thousandths := self._number(item, "TIME_MS")) is not None:
            seconds = thousandths / 1000
        if index is None and seconds is None:
            raise UnreadableError("neither an index nor a time where --map says")
        kind = self._found(item, "CLASS")
        return Answer(
            kind=self._kinds.get(str(kind), OTHER) if kind is not None else OTHER,
            index=None if index is None else round(index),
            seconds=seconds,
            stream=self._text(item, "STREAM"),
            bed=self._text(item, "BED"),
        )

    def _number(self, item: object, field: str) -> float | None:
        value = self._found(item, field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            raise UnreadableError(f"{field} is {str(value)[:40]!r}, which is no number of a beat")
        return float(value) if math.isfinite(value) else None

    def _text(self, item: object, field: str) -> str:
        value = self._found(item, field)
        return value[:256] if isinstance(value, str) else ""

    def _found(self, item: Any, field: str) -> Any:
        """What stands at a field's path; None where there is nothing."""
        for step in self._steps.get(field, (None,)):
            if isinstance(step, str) and isinstance(item, dict):
                item = item.get(step)
            elif isinstance(step, int) and isinstance(item, list) and step < len(item):
                item = item[step]
            else:
                return None
        return item


def _tree(payload: bytes) -> Any:
    """A message as JSON. Raises UnreadableError."""
    if len(payload) > MOST_BYTES:
        raise UnreadableError(f"{len(payload)} bytes are too many")
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableError(f"no JSON: {str(error)[:100]}") from None


def _steps(path: str) -> tuple[str | int, ...]:
    """The keys and places of a path, in order."""
    return tuple(int(place) if place else name for name, place in STEP.findall(path.removeprefix("$")))


def pairs(option: str, given: list[str]) -> dict[str, str]:
    """NAME=VALUE as typed. Raises UserError."""
    split = [one.partition("=") for one in given]
    for whole, (name, equals, value) in zip(given, split, strict=True):
        if not (name and equals and value):
            raise UserError(f"{option} {whole} cannot be used: give NAME=VALUE")
    return {name: value for name, _, value in split}
