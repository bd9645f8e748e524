"""Who sends and is not understood: beds, and names that never became one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from monitor.ward.bed import NOT_UNDERSTOOD_SECONDS, Bed
from monitor.ward.events import Event, UnderstoodChanged

MOST_STRANGERS: Final = 64


class Senders:
    """Beds and names that have sent nothing for a while but what cannot be used. Times: monotonic clock, s."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle_s = idle_seconds
        self._beds: set[str] = set()
        self._strangers: dict[str, tuple[float, float]] = {}

    def stranger(self, name: str, now_s: float) -> None:
        """A name that is no bed's has sent something that cannot be used."""
        since, last = self._strangers.pop(name, (now_s, now_s))
        self._strangers[name] = (since if now_s - last < self._idle_s else now_s, now_s)
        if len(self._strangers) > MOST_STRANGERS:
            del self._strangers[next(iter(self._strangers))]

    def look(self, beds: Iterable[Bed], now_s: float) -> list[Event]:
        """Whether each bed that sends is understood, where that has changed since the last look."""
        found: list[Event] = []
        present = set()
        for bed in beds:
            present.add(bed.name)
            understood = not bed.misunderstood(now_s, self._idle_s)
            if understood == (bed.name in self._beds):
                self._beds ^= {bed.name}
                found.append(UnderstoodChanged(bed=bed.name, stream=bed.stream, index=bed.next, understood=understood))
        self._beds &= present
        for name in present & self._strangers.keys():
            del self._strangers[name]
        return found

    def misunderstood(self, now_s: float) -> list[str]:
        """Names that send and are not understood, as of the last look."""
        return sorted(
            [
                *self._beds,
                *(
                    name
                    for name, (since, last) in self._strangers.items()
                    if last - since > NOT_UNDERSTOOD_SECONDS and now_s - last < self._idle_s
                ),
            ]
        )
