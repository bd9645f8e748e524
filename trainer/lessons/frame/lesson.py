"""The form of a lesson: settings go in; numbers, claims and figures come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Final, Generic, Literal, NamedTuple, TypeVar

import msgspec
from matplotlib.figure import Figure
from msgspec import Meta

from ecg.errors import UserError
from ecg.records.record import Record
from trainer import lessons

Language = Literal["en", "ja"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "ja")
Number = int | float | str
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""
S = TypeVar("S", bound=msgspec.Struct)


class Text(NamedTuple):
    """Words in both languages."""

    en: str
    ja: str

    def of(self, language: Language) -> str:
        """The words of one language."""
        return self.ja if language == "ja" else self.en


Say = Callable[[str, str], str]
"""Picks the English or the Japanese words of a figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a lesson found.

    numbers: by name, as the page's placeholders name them. claims: whether each claim of the page shows in these
    numbers. draw: makes the figures, in the order of the page.
    """

    numbers: dict[str, Number]
    claims: dict[str, bool]
    draw: Callable[[Say], list[Figure]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson(Generic[S]):
    """One lesson.

    settings: their defaults, each changed by --set. quick: settings of a small run for tests. run: the work. records:
    whether annotated records can take the place of simulated hearts. least: how many of them.
    """

    name: str
    title: Text
    settings: S
    quick: dict[str, Any]
    run: Callable[[S, Sequence[Record], Progress], Outcome]
    records: bool = False
    least: int = 1

    def check(self, records: Sequence[Record]) -> None:
        """Raise UserError where records are given, but fewer patients than the lesson has to divide."""
        if records and len(records) < self.least:
            raise UserError(
                f"the lesson {self.name} divides patients into those it learns from and others: give at least "
                f"{self.least} records, not {len(records)}"
            )


def lesson(name: str) -> Lesson[Any]:
    """A lesson by name. Raises UserError for an unknown one."""
    if name not in lessons.LESSONS:
        raise UserError(f"there is no lesson {name!r}; there are {', '.join(lessons.LESSONS)}")
    found: Lesson[Any] = import_module(f"{lessons.__name__}.{name}").LESSON
    return found


def silent(_done: float) -> None:
    """A progress that nobody watches."""


def part(progress: Progress, first: float, last: float) -> Progress:
    """The progress of a part of the work, from share `first` to share `last` of the whole."""
    return lambda done: progress(first + (last - first) * done)
