"""Orders by sample index: the steps of a scenario, once or again and again, and what is asked for while it runs."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

from ecg.rhythms.simulation.orders import Orders


class Script:
    """Orders in order of their sample indices. steps: sorted. period: samples after which they begin again, or 0."""

    def __init__(self, steps: Sequence[tuple[int, Orders]] = (), period: int = 0) -> None:
        self._steps, self._period = steps, period
        self._place = self._begin = 0
        self._extra: list[tuple[int, int, Orders]] = []
        self._count = 0

    def put(self, index: int, orders: Orders) -> None:
        """Add orders; those of the same index stay in the order in which they were put."""
        self._count += 1
        insort(self._extra, (index, self._count, orders), key=lambda one: one[:2])

    @property
    def next(self) -> int | None:
        """Index of the next orders; None where no more come."""
        indices = [self._begin + self._steps[self._place][0]] if self._place < len(self._steps) else []
        indices += [self._extra[0][0]] if self._extra else []
        return min(indices, default=None)

    def pop(self) -> Orders:
        """The next orders: at the same index, first those of the steps."""
        at = self.next
        if self._place < len(self._steps) and self._begin + self._steps[self._place][0] == at:
            orders = self._steps[self._place][1]
            self._place += 1
            if self._place == len(self._steps) and self._period:
                self._place, self._begin = 0, self._begin + self._period
            return orders
        return self._extra.pop(0)[2]

    def drop(self) -> None:
        """Forget the steps; what was put stays."""
        self._steps, self._place = (), 0
