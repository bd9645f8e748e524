"""The compiled rules of the alarms as they are called."""

from __future__ import annotations

import numpy as np

from ecg.signal.kernels import rules
from ecg.signal.kernels.conditions import Memory
from ecg.signal.kernels.rules import Heard
from ecg.signal.rule_numbers import CHANGE
from ecg.signal.slots import Floats, Index, Mask, State

ROOM = 1024
"""Changes that are taken over at once."""


class CompiledRules:
    """What is compiled of the alarms' rules for beats."""

    def __init__(self) -> None:
        self._log = np.zeros((ROOM, CHANGE), np.int64)

    def sign(self, memory: State, slots: Index, told: Index) -> None:
        """Signs of these beds, [n, SIGN]: see `rules.sign`."""
        rules.sign(Memory(**memory), np.ascontiguousarray(slots), np.ascontiguousarray(told))

    def tell(
        self,
        memory: State,
        limits: tuple[Index, Floats],
        detected: Index,
        heard: tuple[Index, Index, Index, Index, Floats],
        clocks: Index,
    ) -> tuple[Mask, list[list[int]]]:
        """Which beats are in noise, and changes in order: see `rules.tell`. heard: of `rules.Heard`."""
        beats = Heard(*(np.ascontiguousarray(values) for values in heard))
        held, begun, noisy = Memory(**memory), np.zeros(3, np.int64), np.zeros(len(beats.slots), bool)
        found: list[list[int]] = []
        while True:
            rules.tell(held, limits, detected, beats, clocks, begun, (self._log, noisy))
            found += self._log[1 : 1 + self._log[0, 0]].tolist()
            if begun[1] == len(beats.slots) and begun[2] == len(clocks):
                return noisy, found
