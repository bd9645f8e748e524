"""Which of a bed's two leads leads: its beats are the bed's, and the other one is read beside it.

The first choice leads wherever it gives a signal. While it is off the second one does, and BACK_SECONDS longer: a lead
that has just been attached knows nothing yet. It depends on the samples alone.
"""

from __future__ import annotations

from typing import Final

from monitor.ward.pieces import Signal

BACK_SECONDS: Final = 10.0
"""A lead that was off leads again after so much signal."""


class Leading:
    """The lead that leads a bed, 0 or 1. back_at: sample from which the first one leads again, -1 where none is set."""

    __slots__ = ("back_at", "lead")

    def __init__(self, lead: int = 0, back_at: int = -1) -> None:
        self.lead, self.back_at = lead, back_at

    def anew(self) -> None:
        """All leads begin anew."""
        self.lead, self.back_at = 0, -1

    def back(self, lead: int, index: int, rate: float) -> None:
        """One lead begins anew at sample `index`; the other one leads."""
        self.lead = 1 - lead
        self.back_at = index + round(BACK_SECONDS * rate) if lead == 0 else -1

    def room(self, index: int) -> int | None:
        """Samples from `index` on until the lead changes of itself; None where it does not."""
        return self.back_at - index if self.lead == 1 and self.back_at > index else None

    def take(self, signal: Signal) -> bool:
        """The next signal, no longer than `room`. Has the lead changed?."""
        before = self.lead
        if signal.second is None or signal.second_off:
            self.lead, self.back_at = 0, -1
        elif signal.lead_off:
            self.lead, self.back_at = 1, -1
        elif 0 <= self.back_at <= signal.index:
            self.lead, self.back_at = 0, -1
        return self.lead != before
