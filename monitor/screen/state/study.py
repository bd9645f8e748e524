"""The study of the shown bed, as the snapshots tell it: other networks' letters and scores, a memory, forecasts."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from ecg.records.aami import CLASSES
from monitor.link.protocol import BeatMark, Foretold, Inside, Studied, Traced, TruthNote, Verdict
from monitor.screen.state.history import BedHistory

LOOKED_SECONDS: Final = 30.0
"""Of a memory that are kept."""
FORECASTS: Final = 64
KEPT: Final = 4096
"""Letters of each network that are kept: they are scored as they come."""
OWN: Final = "own"


@dataclass(slots=True)
class Heard:
    """Letters of one network, with the truth beside them, as `TruthTally` follows them. See `BedHistory`."""

    generation: int
    first: int
    next: int
    rate: float
    beats: list[BeatMark]
    history: BedHistory

    def beats_between(self, start: int, end: int) -> list[BeatMark]:
        """Its letters within [start, end)."""
        return [beat for beat in self.beats if start <= beat.index < end]

    def truth_between(self, start: int, end: int) -> list[TruthNote]:
        """The cardiologists' within [start, end)."""
        return self.history.truth_between(start, end)


@dataclass(kw_only=True)
class BedStudy:
    """What a study has told so far. Another number, and it begins anew."""

    number: int = -1
    stream: str = ""
    since: int = 0
    missing: list[str] = field(default_factory=list)
    unread: int = 0
    why: str = ""
    errors: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    inside: Inside | None = None
    traced: list[Traced] = field(default_factory=list)
    letters: dict[str, list[BeatMark]] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)
    _foretold: deque[Foretold] = field(default_factory=lambda: deque(maxlen=FORECASTS))

    def take(self, told: Studied, rate: float) -> None:
        """Add what is new. rate: of the bed, Hz."""
        if (told.number, told.stream) != (self.number, self.stream):
            self.number, self.stream, self.since = told.number, told.stream, told.since
            self.traced, self.letters, self.until = [], {}, {}
            self.inside, self.errors = None, {}
            self._foretold.clear()
        self.missing, self.unread, self.why = told.missing, told.unread, told.why
        self.errors = told.errors or self.errors
        for one in told.beside:
            kept = self.letters.setdefault(one.model, [])
            kept += [letter(verdict) for verdict in one.verdicts]
            del kept[:-KEPT]
            self.until[one.model] = max(one.until, self.until.get(one.model, 0))
        if told.inside is not None:
            if self.inside is None or self.inside.model != told.inside.model:
                self.traced = []
            self.inside = told.inside
            self.traced += told.inside.beats
            oldest = self.traced[-1].index - 2 * LOOKED_SECONDS * rate if self.traced else 0
            self.traced = [one for one in self.traced if one.index >= oldest]
        self._foretold += told.foretold

    def foretold(self, position: float) -> Foretold | None:
        """The newest forecast that was made before sample `position`; None without one."""
        known = list(self._foretold)
        place = bisect_right(known, position, key=lambda one: one.index)
        return known[place - 1] if place else None

    def heard(self, history: BedHistory) -> dict[str, Heard]:
        """The letters of the ward's own network and of those beside it, all over the same stretch of the stream."""
        if not self.until or history.stream != self.stream:
            return {}
        end = min(self.until.values()) + 1 + int(history.rate)
        every = {OWN: history.beats, **self.letters}
        return {
            model: Heard(self.number, max(self.since, 1), end, history.rate, beats, history)
            for model, beats in every.items()
        }


def letter(verdict: Verdict) -> BeatMark:
    """A verdict as a beat is shown: its probability, and nothing of the others."""
    shares = [verdict.probability if cls == verdict.cls else 0.0 for cls in CLASSES]
    return BeatMark(verdict.index, verdict.cls, shares, None, 0.0)
