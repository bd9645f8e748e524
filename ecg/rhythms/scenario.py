"""Scenarios: what happens to a simulated patient, step by step, read from TOML."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ecg.errors import UserError
from ecg.files import read_text
from ecg.rhythms.simulation import leads
from ecg.rhythms.simulation.catalogue import RHYTHMS
from ecg.rhythms.simulation.orders import Orders, checked

FOLDER: Final = Path(__file__).with_name("scenarios")
LEADS: Final = ("II", "V1", "PLETH")
RATE: Final = 250.0
MOST_STEPS: Final = 1000
LONGEST: Final = 7 * 86_400.0
SHORTEST_LAP: Final = 1.0
_TIME: Final = re.compile(r"(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+(?:\.\d+)?)\s*min)?\s*(?:(\d+(?:\.\d+)?)\s*s?)?")


class Step(Orders, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step. seconds: how long it lasts ("for" in the file: 90, "90 s", "2 min"); None: for the rest of time."""

    seconds: float | str | None = msgspec.field(default=None, name="for")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A patient's story. then: what comes after the last step. leads, rate_hz: of the signal, unless asked otherwise.

    name: of its file.
    """

    title: Annotated[str, Meta(min_length=1, max_length=120)]
    about: Annotated[str, Meta(max_length=600)] = ""
    step: Annotated[list[Step], Meta(min_length=1, max_length=MOST_STEPS)]
    then: Literal["stay", "repeat", "end"] = "stay"
    leads: Annotated[list[str], Meta(min_length=1, max_length=16)] = msgspec.field(default_factory=lambda: list(LEADS))
    rate_hz: Annotated[float, Meta(ge=100, le=2000)] = RATE
    name: str = ""

    @property
    def seconds(self) -> float | None:
        """Length of its steps; None where the last has no end."""
        lengths = [step.seconds for step in self.step]
        return None if lengths[-1] is None else float(sum(float(one or 0) for one in lengths))

    def steps(self, rate: float) -> list[tuple[int, Orders]]:
        """Orders by the sample index at which their step begins."""
        made, begin = [], 0.0
        for step in self.step:
            fields = {name: getattr(step, name) for name in Orders.__struct_fields__}
            made.append((round(begin * rate), Orders(**fields)))
            begin += float(step.seconds or 0)
        return made

    def period(self, rate: float) -> int:
        """Samples after which the steps begin again; 0 where they do not."""
        return round((self.seconds or 0) * rate) if self.then == "repeat" else 0


def seconds_of(value: float | str, where: str) -> float:
    """A length of time: a number of s, or text such as "90 s", "2 min", "1 h 30 min". Raises UserError."""
    if isinstance(value, str):
        found = _TIME.fullmatch(value.strip())
        parts = [float(part) if part else 0.0 for part in found.groups()] if found and value.strip() else [0.0]
        number = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    else:
        number = float(value)
    if not 0 < number <= LONGEST:
        raise UserError(f'{where} = {value!r} is no length of time: give seconds, or text such as "90 s" or "2 min"')
    return number


def parse(text: str, name: str, where: str) -> Scenario:
    """The scenario in a text of TOML. where: what an error calls it. Raises UserError with line, step or field."""
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{where} is no TOML: {error}") from None
    try:
        raw = msgspec.convert(tree, Scenario)
    except msgspec.ValidationError as error:
        raise UserError(f"{where}: {_plain(str(error))}") from None
    return _checked(msgspec.structs.replace(raw, name=name), where)


def _checked(raw: Scenario, where: str) -> Scenario:
    known = leads.names(raw.leads, f"{where}: leads")
    steps: list[Step] = []
    for number, step in enumerate(raw.step, 1):
        here = f"{where}: step {number}"
        length = None if step.seconds is None else seconds_of(step.seconds, f"{here}: for")
        if length is None and number < len(raw.step):
            raise UserError(f"{here} has no length, and others follow it: give it one, such as for = 60")
        checked(step, known, here)
        rhythm = next((one.rhythm for one in reversed([*steps, step]) if one.rhythm is not None), "sinus")
        kind = RHYTHMS[rhythm]
        if step.rate is not None and not kind.low <= step.rate <= kind.high:
            raise UserError(
                f"{here}: rate = {step.rate:g} is not one of rhythm {rhythm!r}: give {kind.low:g} to {kind.high:g}/min"
            )
        steps.append(msgspec.structs.replace(step, seconds=length, off=checked(step, known, here).off))
    if raw.then != "stay" and steps[-1].seconds is None:
        raise UserError(f'{where}: then = "{raw.then}" needs a length of the last step, such as for = 60')
    made = msgspec.structs.replace(raw, step=steps, leads=list(known))
    if raw.then == "repeat" and (made.seconds or 0) < SHORTEST_LAP:
        raise UserError(f"{where}: steps of {made.seconds:g} s together are too short to repeat: give at least 1 s")
    return made


def _plain(said: str) -> str:
    """What msgspec says, with steps counted from 1 as people do."""
    text, _, place = said.partition(" - at ")
    place = place.strip("`").removeprefix("$").lstrip(".")
    place = re.sub(r"step\[(\d+)\]", lambda found: f"step {int(found[1]) + 1}", place).replace(".", ", ")
    return f"{place}: {text}" if place else text


def names() -> list[str]:
    """Names of the scenarios of the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Scenario:
    """A scenario of the package by its name, or of a file by its path. Raises UserError."""
    known = name.lower().replace(" ", "-").replace("_", "-")
    if known in names():
        return parse((FOLDER / f"{known}.toml").read_text(encoding="utf-8"), known, f"scenario {known}")
    path = Path(name)
    if not name.endswith(".toml"):
        raise UserError(f"there is no scenario {name!r}: give a .toml file or one of {', '.join(names())}")
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the scenario {name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return parse(text, path.stem, name)
