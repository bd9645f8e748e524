"""Alarms of one bed as they are raised, shown, ended and cleared: what every condition ends in, whatever made it.

A condition is raised once and ended once; a high alarm stays until it is acknowledged, another for a minimum time, and
one that returns soon is the same message. docs/alarms.md defines this.
"""

from __future__ import annotations

from typing import Literal

from ecg.wire.messages import ActiveAlarm
from monitor.alarms import unreadable
from monitor.alarms.kinds import GRAVER, PRIORITY, RANK
from monitor.alarms.limits import Limits
from monitor.alarms.state import NEVER, BedState, Change, Episode


class Episodes:
    """Episodes of one bed's alarms. `state` is all that is remembered; changes wait in order until they are taken."""

    __slots__ = ("_changes", "_limits", "state")

    def __init__(self, limits: Limits, state: BedState) -> None:
        self._limits = limits
        self._changes: list[Change] = []
        self.state = state

    @property
    def limits(self) -> Limits:
        """The limits in force, in samples."""
        return self._limits

    def active(self) -> list[ActiveAlarm]:
        """Alarms to show, gravest first; those that a graver one of their chain hides are left out."""
        episodes = self.state.episodes
        return [
            ActiveAlarm(
                kind,
                PRIORITY[kind],
                episodes[kind].onset,
                self._text(kind),
                episodes[kind].acknowledged,
                PRIORITY[kind] == "high" and episodes[kind].over >= 0,
            )
            for kind in sorted(episodes, key=RANK.__getitem__)
            if not self._hidden(kind)
        ]

    def _text(self, kind: str) -> str:
        """What the list says of an alarm."""
        text = self._limits.texts[kind]
        return f"{text}: {self.state.why}" if kind == unreadable.KIND and self.state.why else text

    def raised(self) -> dict[str, int]:
        """The sample at which each alarm became known, by kind: also of those that a graver one hides."""
        return {kind: episode.raised for kind, episode in self.state.episodes.items()}

    def raise_(self, kind: str, onset: int, index: int) -> None:
        """The condition `kind` is true since `onset`, known at `index`; nothing happens while it already is."""
        if kind not in self._limits.enabled:
            return
        before = self.state.episodes.get(kind)
        if before is not None:
            if before.over < 0:
                return
            if not before.acknowledged and index - before.over <= self._limits.minute:
                before.over, before.times = -1, before.times + 1
                self._changes.append(Change("again", kind, index, onset, -1, self._hidden(kind)))
                return
            self._clear(kind, index)
        episode = self.state.episodes[kind] = Episode(onset, index)
        self._note("onset", kind, index, episode)

    def hold(self, kind: str, onset: int, index: int) -> None:
        """The condition `kind` would be true since `onset`, and is not believed: counted where noise is why."""
        state = self.state
        if state.sign.noisy and kind in self._limits.enabled and kind not in state.spell:
            state.spell.append(kind)
            state.held += 1
            self._changes.append(Change("held", kind, index, onset))

    def end(self, kind: str, over: int, index: int) -> None:
        """The condition `kind` ended at `over`, known at `index`."""
        episode = self.state.episodes.get(kind)
        if episode is not None and episode.over < 0:
            episode.over = max(over, episode.onset)
            self._note("end", kind, index, episode)
            if self._shown_until(kind, episode) <= index:
                self._clear(kind, index)

    def lasts(self, kind: str) -> bool:
        """Whether the condition is known to be true at present, and switched on."""
        episode = self.state.episodes.get(kind)
        return episode is not None and episode.over < 0

    def _clear(self, kind: str, index: int) -> None:
        """The alarm is no longer shown."""
        self._note("clear", kind, index, self.state.episodes[kind])
        del self.state.episodes[kind]

    def _shown_until(self, kind: str, episode: Episode) -> int:
        """Last sample at which an alarm whose condition is over is shown."""
        if PRIORITY[kind] == "high":
            return -1 if episode.acknowledged else NEVER
        return episode.raised + self._limits.minimum

    def _hidden(self, kind: str) -> bool:
        return not GRAVER[kind].isdisjoint(self.state.episodes)

    def _note(self, what: Literal["onset", "end", "clear"], kind: str, index: int, episode: Episode) -> None:
        self._changes.append(Change(what, kind, index, episode.onset, episode.over, self._hidden(kind)))

    def _taken(self) -> list[Change]:
        """The changes since the last call."""
        changes, self._changes = self._changes, []
        return changes
