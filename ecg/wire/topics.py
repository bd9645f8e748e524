"""Topic names: ``<root>/<bed>/<kind>`` for beds, ``<root>/_monitor/<id>/status`` and ``_producer`` for programs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

BED_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Names of beds, and of the programs that have a status of their own."""
LONGEST_SHOWN: Final = 200

Kind = Literal["wave", "truth", "status", "beat", "alarm", "state", "limits", "command", "ack"]
Program = Literal["producer", "monitor"]


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under one root, for example ``ecg/v1``."""

    root: str

    def of(self, bed: str, kind: Kind) -> str:
        """Topic of one bed's messages of that kind."""
        return f"{self.root}/{bed}/{kind}"

    def every(self, kind: Kind) -> str:
        """Subscription filter for that kind on all beds."""
        return f"{self.root}/+/{kind}"

    def producer(self, name: str) -> str:
        """Status topic of a producer connection that many beds share."""
        return f"{self.root}/_producer/{name}/status"

    def monitor(self, name: str) -> str:
        """Status topic of one monitor."""
        return f"{self.root}/_monitor/{name}/status"

    def beats(self, name: str) -> str:
        """Topic of the beats of all beds of one monitor."""
        return f"{self.root}/_monitor/{name}/beats"

    def every_producer(self) -> str:
        """Subscription filter for the statuses of all producer connections that many beds share."""
        return f"{self.root}/_producer/+/status"

    def every_monitor(self) -> str:
        """Subscription filter for the statuses of all monitors."""
        return f"{self.root}/_monitor/+/status"

    def parse(self, topic: str) -> tuple[str, str] | None:
        """(bed, kind) of a bed topic; None where the topic is not one or the bed's name is not allowed."""
        if not topic.startswith(self.root + "/"):
            return None
        bed, _, kind = topic[len(self.root) + 1 :].partition("/")
        if "/" in kind or not BED_PATTERN.fullmatch(bed):
            return None
        return bed, kind

    def parse_program(self, topic: str) -> tuple[Program, str] | None:
        """(program, its id) of a program's status topic; None where the topic is not one or the id is not allowed."""
        program: Program
        for program in ("producer", "monitor"):
            before, after = f"{self.root}/_{program}/", "/status"
            if topic.startswith(before) and topic.endswith(after):
                name = topic[len(before) : -len(after)]
                return (program, name) if BED_PATTERN.fullmatch(name) else None
        return None


def readable(text: str, most: int = LONGEST_SHOWN) -> str:
    """A stranger's text as it may be shown to a person: no control characters, and not more than `most` characters."""
    short = text if len(text) <= most else text[: most - 1] + "…"
    return short if short.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)
