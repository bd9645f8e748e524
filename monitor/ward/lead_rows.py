"""Beds and their leads: the rows of leads that go through the signal path, and one verdict on each beat from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg.model.fusion import fused
from ecg.signal.beats import Beats
from ecg.signal.chunks import Chunks, some
from monitor.ward.bed import LEADS, Bed
from monitor.ward.pieces import Signal

SHIFT: Final = 40
"""Positions at the model's rate are below 2 to that power."""

Index = NDArray[np.int64]
NO_SLOTS: Final = np.zeros(0, np.int64)
NO_CHUNKS: Final = Chunks.of([])


class Heard(NamedTuple):
    """Leads of some beds that all give a signal, with their chunks. slots: of the beds; rows, follows: of the leads.

    pulses: by channel, slots and chunks.
    """

    slots: Index
    rows: Index
    follows: Index
    chunks: Chunks
    pulses: list[tuple[Index, Chunks]]


class LeadRows:
    """Rows of the leads of some beds, each with its chunk of signal and the row whose beats it is cut at.

    heard: those that are known already, which go before all others.
    """

    def __init__(self, heard: Heard | None = None) -> None:
        self._heard = heard
        self._rows: list[int] = []
        self._follows: list[int] = []
        self._off: list[bool] = []
        self._parts: list[NDArray[np.float32]] = []
        self._slots: list[int] = []
        self._leading: list[int] = []
        self._pulses: list[tuple[list[int], list[NDArray[np.float32]]]] = []
        self._chunks: Chunks | None = None

    def add(self, bed: Bed, signal: Signal) -> None:
        """The leads of a bed."""
        row = LEADS * bed.slot
        follows = row + bed.leading.lead
        self._slots.append(bed.slot)
        self._leading.append(bed.leading.lead)
        self._rows.append(row)
        self._follows.append(follows)
        self._off.append(signal.lead_off)
        self._parts.append(signal.samples)
        if signal.second is not None:
            self._rows.append(row + 1)
            self._follows.append(follows)
            self._off.append(signal.second_off)
            self._parts.append(signal.second)
        for channel, pulse in enumerate(signal.pulses):
            if channel == len(self._pulses):
                self._pulses.append(([], []))
            self._pulses[channel][0].append(bed.slot)
            self._pulses[channel][1].append(pulse)

    def close(self, bed: Bed) -> None:
        """All leads of a bed whose stream is over, as far as they have been heard to the end."""
        for lead, channel in enumerate(bed.intake.channels):
            if not channel.off:
                self._rows.append(bed.row(lead))
                self._follows.append(bed.row(bed.leading.lead))

    @property
    def slots(self) -> Index:
        """Of the beds: int64 [beds]."""
        own = np.array(self._slots, np.int64)
        return np.concatenate((self._heard.slots, own)) if self._heard else own

    @property
    def leading(self) -> Index:
        """Which lead leads each bed, in the order of `slots`: int64 [beds]."""
        own = np.array(self._leading, np.int64)
        return np.concatenate((np.zeros(len(self._heard.slots), np.int64), own)) if self._heard else own

    @property
    def pulses(self) -> list[tuple[Index, Chunks]]:
        """Slots of the beds that have a pulse in each channel, and its chunks: each in its own unit."""
        before = self._heard.pulses if self._heard else []
        made = []
        for channel in range(max(len(before), len(self._pulses))):
            slots, chunks = before[channel] if channel < len(before) else (NO_SLOTS, NO_CHUNKS)
            more, parts = self._pulses[channel] if channel < len(self._pulses) else ([], [])
            made.append((np.concatenate((slots, np.array(more, np.int64))), chunks.behind(parts)))
        return made

    @property
    def rows(self) -> Index:
        """int64 [rows]."""
        own = np.array(self._rows, np.int64)
        return np.concatenate((self._heard.rows, own)) if self._heard else own

    @property
    def follows(self) -> Index:
        """int64 [rows]."""
        own = np.array(self._follows, np.int64)
        return np.concatenate((self._heard.follows, own)) if self._heard else own

    @property
    def off(self) -> NDArray[np.bool_]:
        """Which give no signal: bool [rows]."""
        own = np.array(self._off, bool)
        return np.concatenate((np.zeros(len(self._heard.rows), bool), own)) if self._heard else own

    @property
    def chunks(self) -> Chunks:
        """Float32 [n] each, mV, in the order of `rows`. To be asked for once all leads are here."""
        if self._chunks is None:
            self._chunks = self._heard.chunks.behind(self._parts) if self._heard else Chunks.of(self._parts)
        return self._chunks

    def on(self) -> tuple[Index, Sequence[NDArray[np.float32]], Index]:
        """Rows, chunks and `follows` of those that give a signal; the very chunks where all do."""
        rows, follows = self.rows, self.follows
        if not any(self._off):
            return rows, self.chunks, follows
        kept = np.flatnonzero(~self.off)
        return rows[kept], some(self.chunks, kept), follows[kept]


def by_beat(
    rows: Beats, probabilities: NDArray[np.float32], leading: Index
) -> tuple[Index, Index, NDArray[np.float32]]:
    """The rows of the leads that lead and of the others, and the probabilities of each beat from both leads.

    leading: the lead that leads, by slot of the bed. Returns int64 [beats], int64 [beats] with -1 where the other lead
    says nothing, and float32 [beats, classes].
    """
    bed = rows.slot // LEADS
    leads = rows.slot - LEADS * bed == leading[bed]
    chosen, others = np.flatnonzero(leads), np.flatnonzero(~leads)
    found = probabilities[chosen]
    beside = np.full(len(chosen), -1, np.int64)
    if len(others) and len(chosen):
        key = (bed << SHIFT) + rows.at
        place = np.minimum(np.searchsorted(key[chosen], key[others]), len(chosen) - 1)
        both = key[chosen][place] == key[others]
        found[place[both]] = fused(found[place[both]], probabilities[others[both]])
        beside[place[both]] = others[both]
    return chosen, beside, found
