"""Whoever looks on at the network's beats: what it read of each lead, and where a memory was emptied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ecg.signal.beats import Beats
from monitor.ward.bed import Bed
from monitor.ward.lead_rows import Index


class Watcher(Protocol):
    """It must neither wait nor change anything; what it keeps it copies."""

    def beats(self, rows: Beats, leading: Index) -> None:
        """Beats that were read, a row for each lead. leading: the lead that leads, by slot of the bed."""

    def emptied(self, bed: Bed, leads: Sequence[int]) -> None:
        """The memory of these leads of a bed is empty from now on."""
