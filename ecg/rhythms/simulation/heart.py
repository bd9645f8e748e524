"""A heart as events in time: impulses of the atria, conduction, activations of the ventricles, extra beats.

Events are worked off in order of their time. Nothing here knows samples: a heart gives the same events at every
sampling rate, and however far it is asked for at a time.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from ecg.rhythms.simulation.catalogue import (
    ECTOPY,
    ESCAPE_SECONDS,
    INDEPENDENT_RATE,
    PACER_RATE,
    RHYTHMS,
    Ectopy,
    Rhythm,
)
from ecg.rhythms.simulation.conduction import Node, Sinus
from ecg.rhythms.simulation.vitals import Vitals

REFRACTORY: Final = 0.25
"""s after an activation in which the ventricles answer nothing."""
BLOCKED: Final = 0.75
"""Share of the RR interval after an extra beat of the ventricles in which no atrial impulse passes the node."""
FILLED: Final = 0.8
"""s in which a ventricle fills."""
EARLY: Final = ("V", "A", "a")
Handler = Callable[[float], None]


class Activation(NamedTuple):
    """One event: a wave to be drawn at `time` (s), its mark, its label, or a drone that begins.

    wave: name of a wave, "" for none. size: of the wave. qt: s. symbol: MIT-BIH symbol of the mark at `time`, "" for
    none. label: rhythm from here on, where `symbol` is "+". stroke: of blood, 1 for that of a normal beat at rest.
    drone: name of the waves without beats from here on ("" for none), None where nothing changes.
    """

    time: float
    wave: str = ""
    size: float = 1.0
    qt: float = 0.0
    symbol: str = ""
    label: str = ""
    stroke: float = 0.0
    drone: str | None = None


@dataclass(slots=True, eq=False)
class Heart:
    """One heart. `until` gives its events, `change` and `extra` its rhythm and extra beats from the horizon on.

    horizon: s, time up to which events have been given.
    """

    rng: Random
    vitals: Vitals
    rhythm: Rhythm = field(default_factory=lambda: RHYTHMS["sinus"])
    ectopy: Ectopy = field(default_factory=lambda: ECTOPY["none"])
    per_minute: float = 0.0
    horizon: float = 0.0
    _events: list[tuple[float, int, Handler]] = field(default_factory=list)
    _count: int = 0
    _given: list[Activation] = field(default_factory=list)
    _last: float = -1.0
    _early_before: bool = False
    _steady: float = 0.8
    _blocked: float = -1.0
    _since: int = 0
    _passed: int = 0
    _ratio: int = 1
    _node: Node = field(default_factory=Node)
    _angle: float = 0.0
    _label: str = ""
    _sinus: Sinus = field(default_factory=Sinus)

    def begin(self) -> None:
        """Start at time 0."""
        self._sinus = Sinus.drawn(self.rng)
        self._start(self.rng.uniform(0.05, 0.45))

    def until(self, time: float) -> list[Activation]:
        """The events up to a time, in order."""
        events = self._events
        while events and events[0][0] <= time:
            at, _, handle = heapq.heappop(events)
            handle(at)
        self.horizon = max(time, self.horizon)
        given, self._given = self._given, []
        return given

    def change(self, rhythm: Rhythm) -> None:
        """Another rhythm from the next beat on: nothing before the horizon changes."""
        self.rhythm = rhythm
        self._events.clear()
        at = self.horizon
        if rhythm.clock in ("regular", "irregular", "twisting", "failing"):
            soonest = self._last + max(0.75 * 60 / self.vitals.at("rate", at), 0.28)
        else:
            soonest = self._last + max(0.45 * self._steady, 0.28)
        self._start(max(at + 1e-6, soonest))

    def extra(self, ectopy: Ectopy, per_minute: float) -> None:
        """Other extra beats from the horizon on."""
        self.ectopy, self.per_minute, self._since = ectopy, per_minute, 0
        self._push(self.horizon + 1e-6, self._named)

    @property
    def label(self) -> str:
        """The rhythm's label with its extra beats."""
        extra = self.ectopy.label if self.rhythm.ectopic else ""
        return extra or self.rhythm.label

    def _push(self, time: float, handle: Handler) -> None:
        self._count += 1
        heapq.heappush(self._events, (time, self._count, handle))

    def _start(self, time: float) -> None:
        """Schedule what the present rhythm begins with. time: s, of its first impulse."""
        rhythm = self.rhythm
        self._passed, self._since, self._angle, self._blocked = 0, 0, 0.0, -1.0
        self._ratio = self.rng.choice(rhythm.ratio)
        self._node = Node(self._ratio)
        self._push(self.horizon + 1e-7, self._droned)
        self._push(self.horizon + 1e-6, self._named)
        if rhythm.atria in ("sinus", "flutter", "paced"):
            self._push(time, self._impulse)
        elif rhythm.atria == "independent":
            self._push(max(self.horizon, time - 0.3) + self.rng.uniform(0, 0.5), self._impulse)
        if rhythm.clock == "blind":
            self._push(time + 0.5, self._blind)
        elif rhythm.clock:
            self._push(time, self._tick)

    def _droned(self, time: float) -> None:
        self._given.append(Activation(time, drone=self.rhythm.drone))

    def _named(self, time: float) -> None:
        if self.label != self._label:
            self._label = self.label
            self._given.append(Activation(time, symbol="+", label=self.label))

    def _impulse(self, time: float) -> None:
        """The atria are activated, and may activate the ventricles."""
        rhythm = self.rhythm
        rate = INDEPENDENT_RATE if rhythm.atria == "independent" else self.vitals.at("rate", time)
        if rhythm.atria == "flutter":
            interval = 60 / min(max(rate * sum(rhythm.ratio) / len(rhythm.ratio), 220.0), 350.0)
        elif rhythm.atria == "paced":
            interval = 60 / rate
            self._given.append(Activation(time, "spike_atrial"))
        else:
            interval = self._sinus.interval(time, rate, rhythm.loose, self.vitals, self.rng)
            if rhythm.pauses:
                self._passed += 1
                if self._passed >= self._ratio:
                    self._passed, self._ratio = 0, self.rng.choice(rhythm.ratio)
                    interval = self.rng.uniform(2.8, 3.4)
        self._given.append(Activation(time, rhythm.p))
        self._push(time + interval, self._impulse)
        delay = self._node.delay(rhythm, self.vitals.at("pr", time), self.rng)
        if delay is not None:
            self._push(time + delay, self._conducted)

    def _conducted(self, time: float) -> None:
        """An impulse has come through the node."""
        if time - self._last < REFRACTORY or time < self._blocked:
            return
        self._beat(time, self.rhythm.beat, self.rhythm.symbol)
        self._plan(time)

    def _beat(self, time: float, shape: str, symbol: str, stroke: float = 1.0, size: float = 1.0) -> None:
        """The ventricles are activated."""
        since = min(time - self._last, 3.0) if self._last >= 0 else 0.8
        early = symbol in EARLY and not self.rhythm.clock
        if not early and not self._early_before:  # neither the early interval nor the pause after it
            self._steady += 0.3 * (min(since, 1.6) - self._steady)
        self._early_before = early
        self._last = time
        qt = self.vitals.at("qt", time) * max(self._steady, 0.25) ** (1 / 3)
        filling = min(since / FILLED, 1.35) ** 0.9
        self._given.append(
            Activation(
                time, shape, size, qt, symbol, stroke=stroke * self.rhythm.stroke * max(filling - 0.12, 0.02) / 0.88
            )
        )

    def _plan(self, time: float) -> None:
        """After a beat: does an extra one come?."""
        extra, rhythm = self.ectopy, self.rhythm
        if not rhythm.ectopic or (not self.per_minute and not extra.after):
            return
        self._since += 1
        rr = max(self._steady, 0.35)
        if extra.after:
            comes = self._since >= extra.after
        else:
            comes = self._since >= 2 and self.rng.random() < self.per_minute * rr / 60
        if not comes or (extra.atrial and rhythm.atria == "silent"):
            return
        self._since = 0
        coupling = max(extra.coupling * rr * self.rng.uniform(0.96, 1.04), 0.34)
        if extra.on_t:
            coupling = max(0.78 * self.vitals.at("qt", time) * rr**0.5, 0.28)
        if extra.atrial:
            self._reset_atria(time + coupling)
            return
        shape = self.rng.choice(extra.foci)
        at = time + coupling
        for _ in range(extra.many):
            self._push(at, lambda now, shape=shape: self._early(now, shape))  # type: ignore[misc]
            last = at
            at += max(0.36 * self.rng.uniform(0.97, 1.05), 0.28)
        self._blocked = last + BLOCKED * rr

    def _early(self, time: float, shape: str) -> None:
        self._beat(time, shape, "V", 0.55)

    def _reset_atria(self, time: float) -> None:
        """An early impulse of the atria at a time: the sinus node starts anew from it."""
        self._events[:] = [event for event in self._events if event[2] != self._impulse]
        heapq.heapify(self._events)
        self._push(time - 0.13, self._atrial_early)
        interval = self._sinus.interval(time, self.vitals.at("rate", time), self.rhythm.loose, self.vitals, self.rng)
        self._push(time - 0.13 + 1.06 * interval, self._impulse)

    def _atrial_early(self, time: float) -> None:
        aberrant = self.ectopy.aberrant
        self._given.append(Activation(time, "p_ectopic"))
        shape, symbol = ("aberrant", "a") if aberrant else (self.rhythm.beat, "A")
        self._push(time + 0.13, lambda now: self._beat(now, shape, symbol))

    def _tick(self, time: float) -> None:
        """A pacemaker of the ventricles, or of the node, fires."""
        rhythm = self.rhythm
        interval = 60 / self.vitals.at("rate", time)
        if rhythm.clock == "irregular":
            interval *= min(max(math.exp(self.rng.gauss(0, 0.22)) * 0.98, 0.5), 1.9)
            if time >= self._blocked:
                self._beat(time, rhythm.beat, rhythm.symbol)
                self._plan(time)
            self._push(time + max(interval, 0.3), self._tick)
            return
        self._push(time + interval * (1 + rhythm.loose * self.rng.gauss(0, 1)), self._tick)
        if rhythm.clock == "failing":
            self._given.append(Activation(time, "spike"))
            if self._captures(time):
                self._push(time + 0.06, lambda now: self._beat(now, rhythm.beat, "/"))
            else:
                self._given.append(Activation(time, symbol="^"))
            return
        if rhythm.clock == "twisting":
            self._angle += 2 * math.pi / 11 * self.rng.uniform(0.8, 1.2)
            swell = 0.35 + 0.65 * abs(math.sin(self._angle / 2 + 0.6))
            self._beat(time, "twist_a", "V", size=swell * math.cos(self._angle))
            last = self._given[-1]
            self._given.append(Activation(time, "twist_b", swell * math.sin(self._angle), last.qt))
            return
        if rhythm.symbol == "/":
            self._given.append(Activation(time, "spike"))
            self._push(time + 0.06, lambda now: self._beat(now, rhythm.beat, "/"))
            return
        self._beat(time, rhythm.beat, rhythm.symbol)
        if rhythm.retrograde:
            self._push(time + 0.07, lambda now: self._given.append(Activation(now, "p_retrograde")))

    def _captures(self, time: float) -> bool:
        """Does a failing pacemaker's impulse capture? It does so for some beats, and then not for some."""
        self._passed -= 1
        if self._passed <= 0:
            self._ratio = 1 - self._ratio if self._ratio in (0, 1) else 1
            self._passed = self.rng.randint(3, 6) if self._ratio else self.rng.randint(3, 5)
        captured = self._ratio == 1 and time - self._last > REFRACTORY + 0.1
        if not captured:
            due = self._last + ESCAPE_SECONDS
            self._push(max(due, time), self._escape)
        return captured

    def _escape(self, time: float) -> None:
        """The ventricles beat by themselves where nothing has come for long."""
        if time - self._last >= ESCAPE_SECONDS - 1e-6:
            self._beat(time, "slow", "E", 0.8)

    def _blind(self, time: float) -> None:
        """A pacemaker that does not sense: it fires all the time, and captures where the ventricles can answer."""
        self._push(time + 60 / PACER_RATE, self._blind)
        self._given.append(Activation(time, "spike"))
        if time - self._last > REFRACTORY + 0.12:
            self._blocked = time + 0.06 + REFRACTORY
            self._push(time + 0.06, lambda now: self._beat(now, "apex", "/", 0.8))
        else:
            self._given.append(Activation(time, symbol="^"))
