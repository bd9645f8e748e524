"""A simulated bed's signal: a heart's events drawn into samples, block by block, with the truth beside them.

A block ends after each second of signal and wherever a step of the script begins. So samples depend on the seed, the
script and the orders alone, never on the sizes in which they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.rhythms.simulation import circulation
from ecg.rhythms.simulation.artefacts import Artefacts
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS
from ecg.rhythms.simulation.drones import Drone
from ecg.rhythms.simulation.heart import Activation, Heart
from ecg.rhythms.simulation.orders import Orders, checked
from ecg.rhythms.simulation.paper import Paper
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.vitals import BOUNDS, Vitals

BLOCK_SECONDS: Final = 1.0
AHEAD_SECONDS: Final = 0.35
"""The heart is that far ahead of its samples: a wave begins before its mark."""
ANATOMIES: Final = 32


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotation: sample index, MIT-BIH symbol, rhythm in force, and a note in words ("muscle 1" begins).

    A change of artefacts is "~" and notes all that is there from its index on, "clean" for nothing.
    """

    index: int
    symbol: str
    rhythm: str
    note: str = ""


class Chunk(NamedTuple):
    """samples: int16 [n, leads], ADU. marks: those whose samples are in it."""

    samples: NDArray[np.int16]
    marks: list[Mark]


class Simulation:
    """One heart's samples, in order and without an end.

    rate: Hz. names: leads (`leads.names`). seed: of all that is drawn at random. script: orders to come.
    """

    def __init__(
        self,
        *,
        rate: float,
        names: tuple[str, ...],
        seed: str,
        script: Script | None = None,
    ) -> None:
        self.rate, self.names = rate, names
        rng = Random(f"ecg {seed}")
        noise = np.random.default_rng(rng.getrandbits(64))
        self._paper = Paper(rate, names, rng.randrange(ANATOMIES))
        self.heart = Heart(rng, Vitals(), per_minute=0.0)
        self._drone = Drone(rate, noise)
        self._artefacts = Artefacts(rate, self._paper.ecg, noise)
        self._off: tuple[str, ...] = ()
        self._swap = ""
        self._drone_next = ""
        self._script = script or Script()
        self._marks: list[Mark] = []
        self._label = self._told = ""
        self._block = 0
        self._shift = rng.randrange(1, 9) / 8
        self._ready: list[NDArray[np.int16]] = []
        self._begun = False
        self.drawn = 0
        self.given = 0
        self.gain = self._paper.gain

    def next(self, count: int) -> Chunk:
        """The next `count` samples, at least 1, and the marks in them."""
        while self.drawn < self.given + count:
            self._draw()
        parts, wanted = [], count
        while wanted:
            block = self._ready[0]
            parts.append(block[:wanted])
            if len(block) <= wanted:
                self._ready.pop(0)
            else:
                self._ready[0] = block[wanted:]
            wanted -= len(parts[-1])
        self.given += count
        marks: list[Mark] = []
        if self._marks and self._marks[0].index < self.given:
            marks = [mark for mark in self._marks if mark.index < self.given]
            self._marks = self._marks[len(marks) :]
            self._told = marks[-1].rhythm
        return Chunk(parts[0] if len(parts) == 1 else np.concatenate(parts), marks)

    def order(self, orders: Orders) -> int:
        """Change the heart from the next sample on that is not drawn yet. Returns the first index that may differ.

        orders: checked (`orders.checked`).
        """
        self._start()
        at = self.drawn
        self._obey(orders, at)
        return at

    def at(self, index: int, orders: Orders) -> int:
        """The same at a later index, or as soon as possible. Returns the first index that may differ."""
        index = max(index, self.drawn)
        self._script.put(index, orders)
        return index

    def replace(self, steps: list[tuple[int, Orders]], period: int) -> int:
        """Other steps in the place of the script's, counted from the next sample that is not drawn yet. Returns it."""
        self._start()
        self._script = Script([(self.drawn + index, orders) for index, orders in steps], period)
        return self.drawn

    def allows(self, orders: Orders) -> None:
        """Raises UserError where the rate is not one of the rhythm that the heart has at present."""
        name = next(name for name, rhythm in RHYTHMS.items() if rhythm is self.heart.rhythm)
        if orders.rate is not None and orders.rhythm is None:
            checked(Orders(rhythm=name, rate=orders.rate), self.names)

    def back(self, orders: Orders) -> Orders:
        """The orders that would put back what these change, as it is now."""
        heart, now = self.heart, self.heart.horizon
        name = next(name for name, rhythm in RHYTHMS.items() if rhythm is heart.rhythm)
        extra = next(name for name, ectopy in ECTOPY.items() if ectopy is heart.ectopy)
        numbers = {one for one in BOUNDS if getattr(orders, one) is not None}
        if orders.rhythm is not None:
            numbers.add("rate")
        extras = orders.ectopy is not None or orders.per_minute is not None
        return Orders(
            rhythm=name if orders.rhythm is not None else None,
            territory=heart.vitals.territory if orders.territory is not None else None,
            ectopy=extra if extras else None,
            per_minute=heart.per_minute if extras else None,
            artefacts=dict(self._artefacts.now) if orders.artefacts is not None else None,
            off=list(self._off) if orders.off is not None else None,
            swap=self._swap if orders.swap is not None else None,
            **{one: heart.vitals.at(one, now) for one in numbers},
        )

    def _start(self) -> None:
        if not self._begun:
            self._begun = True
            self._follow(0)  # before the first event, so that nothing else comes first
            self.heart.begin()

    def _follow(self, index: int) -> None:
        """Carry out the orders of the script that are due."""
        while (at := self._script.next) is not None and at <= index:
            self._obey(self._script.pop(), index)

    def _draw(self) -> None:
        """One block."""
        self._start()
        begin = self.drawn
        self._follow(begin)
        end = max(round((self._block + self._shift) * BLOCK_SECONDS * self.rate), begin + 1)
        self._block += 1
        step = self._script.next
        if step is not None and step < end:
            end = step
            self._block -= 1
        for event in self.heart.until(end / self.rate + AHEAD_SECONDS):
            self._event(event)
        signal, pulses = self._paper.draw(begin, end)
        if not self._drone.silent:
            self._drone.add(signal, self._paper.matrix, begin)
        self._artefacts.add(signal, begin, self.heart.vitals.at("breaths", begin / self.rate) / 60)
        off = [*self._paper.ecg] if self._artefacts.saturated else []
        self._ready.append(self._paper.codes(signal, pulses, off, self._off))
        self.drawn = end

    def _event(self, event: Activation) -> None:
        """Place what one event draws, and note its mark."""
        index = round(event.time * self.rate)
        if event.drone is not None:
            self._drone_turn(index, event.drone)
        if event.symbol:
            if event.symbol == "+":
                self._label = event.label
            self._marks.append(Mark(index, event.symbol, self._label))
        if not event.wave:
            return
        self._paper.wave(index, event, self.heart.vitals)
        if event.stroke > circulation.FRESHEST:
            self._paper.pulse(index, event.stroke, self.heart.vitals.at("systolic", event.time))

    def _drone_turn(self, index: int, name: str) -> None:
        before = self._drone_next
        if name.startswith("vf") and not before.startswith("vf"):
            self._marks.append(Mark(index, "[", self._label))
        elif before.startswith("vf") and not name.startswith("vf"):
            self._marks.append(Mark(index, "]", self._label))
        self._drone_next = name
        self._drone.turn(index, name)

    def _obey(self, orders: Orders, index: int) -> None:
        """Carry out checked orders at a sample index."""
        heart, time = self.heart, max(self.heart.horizon, index / self.rate)
        vitals = heart.vitals
        rate = orders.rate
        if orders.rhythm is not None:
            rhythm = RHYTHMS[orders.rhythm]
            if rate is None and rhythm is not heart.rhythm:
                rate = rhythm.rate
        for name in BOUNDS:
            value = rate if name == "rate" else getattr(orders, name)
            if value is not None:
                vitals.change(name, value, time, orders.over)
        if orders.territory is not None:
            vitals.territory = orders.territory  # type: ignore[assignment]
        if orders.rhythm is not None:
            self._change_rhythm(orders.rhythm)
        if orders.ectopy is not None or orders.per_minute is not None:
            ectopy = ECTOPY[orders.ectopy] if orders.ectopy is not None else heart.ectopy
            heart.extra(ectopy, ectopy.per_minute if orders.per_minute is None else orders.per_minute)
        if orders.artefacts is not None or orders.off is not None or orders.swap is not None:
            self._disturb(orders, index)

    def _change_rhythm(self, name: str) -> None:
        rhythm = RHYTHMS[name]
        if not self.heart.horizon:
            self.heart.rhythm = rhythm
        elif rhythm is not self.heart.rhythm:
            self.heart.change(rhythm)

    def _disturb(self, orders: Orders, index: int) -> None:
        """Artefacts, leads off and swapped electrodes from a sample index on."""
        if orders.artefacts is not None:
            self._artefacts.now = dict(orders.artefacts)
        if orders.off is not None:
            self._off = tuple(orders.off)
        if orders.swap is not None:
            self._swap = orders.swap
            self._paper.swap(orders.swap, index, self.heart.vitals)  # type: ignore[arg-type]
        said = [f"{name} {strength:g}" for name, strength in sorted(self._artefacts.now.items())]
        said += [f"{name} off" for name in self._off]
        said += [f"{self._swap} swapped"] if self._swap else []
        label = next((mark.rhythm for mark in reversed(self._marks) if mark.index <= index), self._told)
        self._marks.append(Mark(index, "~", label, ", ".join(said) or "clean"))
        self._marks.sort(key=lambda mark: mark.index)
