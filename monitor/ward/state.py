"""What holds the state of beds gives a bed's share as a value and takes it back: saved, or put into another slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.alarms import SavedAlarms
from monitor.ward.bed import SavedBed


class Rows(Protocol):
    """State of many beds, a row for each: the signal path, the network's memory, the alarms."""

    def grow(self, slots: int) -> None:
        """Room for `slots` beds; the old ones keep their state."""

    def save(self, slot: int) -> Any:
        """A copy of all that is remembered of one bed, which no later step changes."""

    def restore(self, slot: int, saved: Any) -> None:
        """Put back what `save` gave, in this slot or another one, here or in another process.

        What was in the slot is gone; no other slot notices. Raises ValueError where it does not fit.
        """


@dataclass(slots=True, kw_only=True)
class SavedPatient:
    """All that is remembered of one bed. paths: by lead, its row of each part of the signal path's state. memories: by
    lead, float32 [parts, hidden], the network's.
    """

    bed: SavedBed
    paths: list[dict[str, NDArray[Any]]]
    memories: list[NDArray[np.float32]]
    alarms: SavedAlarms
