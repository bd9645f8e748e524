"""Who is told what happens in the ward."""

from __future__ import annotations

from typing import Protocol

from monitor.service.problems import Problems
from monitor.ward.events import Event


class Sink(Protocol):
    """Whoever wants to know what happens in the ward. It must neither change the ward nor keep it waiting."""

    def take(self, events: list[Event]) -> None:
        """What happened, in that order."""


class Sinks:
    """All of them, by name; one that fails keeps no other from the events."""

    def __init__(self, problems: Problems, by_name: dict[str, Sink | None]) -> None:
        self._problems = problems
        self.by_name = {name: sink for name, sink in by_name.items() if sink is not None}

    def take(self, events: list[Event], but: str = "") -> None:
        """What happened, in that order. but: the name of one that knows it."""
        for name, sink in self.by_name.items():
            try:
                if name != but:
                    sink.take(events)
            except Exception as error:
                self._problems.failed(name, error)
