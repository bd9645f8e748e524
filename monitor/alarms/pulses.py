"""The pulse channels of beds: what half-second looks at a pressure and a plethysmogram show, up to now."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.signal import pulse
from ecg.signal.chunks import Signals
from ecg.signal.slots import rounds
from monitor.alarms.looks import WINDOW, Floats, Looks, Slots
from monitor.alarms.state import NEVER

CHANNELS: Final = ("pulse", "other pulse")
SHOWN: Final = ("pulse", "steady pulse")
"""What the last look at them showed, 1/min: `ecg.signal.pulse.Pulses`."""


class PulseLooks:
    """Pulses of `slots` beds. Looks at pulses need not fall together with looks at leads, which may begin anew."""

    def __init__(self, slots: int) -> None:
        self._looks = {name: Looks(slots) for name in CHANNELS}
        self._shown = {name: np.zeros(slots) for name in SHOWN}
        self._heard: dict[int, dict[int, tuple[float, float]]] = {}

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, a row for each bed."""
        parts: dict[str, NDArray[Any]] = dict(self._shown)
        for name, looks in self._looks.items():
            parts |= {f"{name}.{key}": rows for key, rows in looks.state.items()}
        return parts

    @state.setter
    def state(self, value: dict[str, NDArray[Any]]) -> None:
        self._shown = {name: value[name] for name in self._shown}
        for name, looks in self._looks.items():
            looks.state = {key: value[f"{name}.{key}"] for key in looks.state}

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their state."""
        for looks in self._looks.values():
            looks.grow(slots)
        self._shown = {name: np.concatenate((old, np.zeros(slots - len(old)))) for name, old in self._shown.items()}

    def reset(self, slots: Slots, rates: Floats, start: NDArray[np.int64]) -> None:
        """Forget everything about these slots: their next sample is sample `start` [k] at `rates` [k] Hz."""
        for looks in self._looks.values():
            looks.reset(slots, rates, start)
        for values in self._shown.values():
            values[slots] = 0

    def take(self, slots: Slots, chunks: Signals, channel: int) -> None:
        """The next samples of a channel: float32 [n], any unit, without NaN. A pulse in either channel is one."""
        looks = self._looks[CHANNELS[channel]]
        usual = looks.state["usual"]
        found = looks.step(np.asarray(slots, np.int64), chunks)
        for chosen in rounds(found.slots):
            for rate in np.unique(found.rate[chosen]).tolist():
                look = found.take(chosen[found.rate[chosen] == rate])
                heard = pulse.heard(look.means, look.spreads, rate, usual[look.slots])
                usual[look.slots] = heard.usual
                known = look.blocks >= WINDOW
                beats, steady = np.where(known, heard.rate, 0), np.where(known, heard.steady, 0)
                for slot, index, *both in zip(
                    look.slots.tolist(), look.index.tolist(), beats.tolist(), steady.tolist(), strict=True
                ):
                    its = self._heard.setdefault(slot, {})
                    before = its.get(index, (0.0, 0.0))
                    its[index] = max(both[0], before[0]), max(both[1], before[1])

    def at(self, slots: Slots, places: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """The pulse of each slot, and its steady pulse, by its last look up to these samples: 1/min, 0 for none.

        A slot may stand among them several times, its samples in order.
        """
        if not self._heard:
            return self._shown["pulse"][slots], self._shown["steady pulse"][slots]
        found = np.empty((2, len(slots)))
        for row, (slot, index) in enumerate(zip(slots.tolist(), places.tolist(), strict=True)):
            self._pass(slot, index)
            found[:, row] = self._shown["pulse"][slot], self._shown["steady pulse"][slot]
        return found[0], found[1]

    def end(self) -> None:
        """The span is over: what was heard in it counts from here on."""
        for slot in self._heard:
            self._pass(slot, NEVER)
        self._heard.clear()

    def _pass(self, slot: int, index: int) -> None:
        heard = self._heard.get(slot, {})
        for at in sorted(at for at in heard if at <= index):
            self._shown["pulse"][slot], self._shown["steady pulse"][slot] = heard.pop(at)
