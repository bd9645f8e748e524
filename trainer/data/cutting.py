"""Beats of annotated records, cut by the signal path that the monitor streams through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records import aami
from ecg.records.ec57 import match, match_window
from ecg.records.leads import ecg_columns
from ecg.records.record import Record
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from trainer.data import rhythms

Source = Literal["reference", "detector"]
"""Origin of the R-peaks: the cardiologists' annotations, or our own detector."""
SOURCES: Final[tuple[Source, ...]] = ("reference", "detector")

CLASS_NUMBER: Final = {symbol: aami.CLASSES.index(name) for symbol, name in aami.CLASS_OF.items()}
"""AAMI class number of each annotation code of a beat."""

CHUNK_SECONDS: Final = 30.0
TOGETHER: Final = 24
"""Records cut side by side: a limit on working memory without effect on results."""

Progress = Callable[[float], None]
"""Called with the seconds of signal cut since the last call."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference annotations of one record.

    index: int64 [m], R-peaks, samples at the record's rate. classes: int64 [m], AAMI class numbers.
    flutter: int64 [k, 2], first and last sample of ventricular flutter, a span without annotated beats.
    rhythms: int64 [m], as in CutRecord.
    """

    name: str
    rate: float
    index: NDArray[np.int64]
    classes: NDArray[np.int64]
    flutter: NDArray[np.int64]
    rhythms: NDArray[np.int64]

    def outside_flutter(self, index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """True for samples outside ventricular flutter: bool [n]."""
        outside = np.ones(len(index), bool)
        for first, last in self.flutter:
            outside &= (index < first) | (index > last)
        return outside


@dataclass(frozen=True, slots=True)
class CutRecord:
    """The beats of one record in order, ready for the network.

    windows: float32 [n, channels, window]. features: float32 [n, features].
    index: int64 [n], R-peaks, samples at the record's rate.
    classes: int64 [n], the AAMI class number of the reference beat within 150 ms, -1 for none.
    rhythms: int64 [n], its rhythm (ecg.model.rhythms), -1 where none is known.
    """

    source: Source
    reference: Reference
    windows: NDArray[np.float32]
    features: NDArray[np.float32]
    index: NDArray[np.int64]
    classes: NDArray[np.int64]
    rhythms: NDArray[np.int64]

    @property
    def name(self) -> str:
        """The record's name."""
        return self.reference.name

    @property
    def seconds(self) -> NDArray[np.float64]:
        """When each beat came, since the record's begin: float64 [n]."""
        found: NDArray[np.float64] = self.index / self.reference.rate
        return found

    def __len__(self) -> int:
        return len(self.index)


def reference_of(record: Record) -> Reference:
    """The annotated beats of a record. Raises UserError if there are none."""
    notes = record.annotations
    if notes is None:
        raise UserError(f"record {record.name} carries no annotations, so there is nothing to score it against")
    number = np.array([CLASS_NUMBER.get(str(symbol), -1) for symbol in notes.symbol], np.int64)
    inside = (notes.index >= 0) & (notes.index < len(record.samples))
    beat = (number >= 0) & inside
    if not beat.any():
        raise UserError(f"record {record.name} has annotations, but none of them is a beat")
    return Reference(
        record.name,
        record.rate,
        notes.index[beat],
        number[beat],
        _flutter(record, notes.index, notes.symbol),
        rhythms.of_beats(record.name, number[beat], notes.rhythm[beat]),
    )


def cut(
    records: list[Record],
    source: Source,
    *,
    lead: str = "MLII",
    chunk_seconds: float = CHUNK_SECONDS,
    progress: Progress | None = None,
) -> list[CutRecord]:
    """Cut all records at once, in chunks, as the monitor would; in the order given.

    lead: the lead to analyse, or else the record's first. Raises UserError for a record without beats.
    """
    done: list[CutRecord] = []
    for begin in range(0, len(records), TOGETHER):
        done += _cut_together(records[begin : begin + TOGETHER], source, lead, chunk_seconds, progress)
    return done


def cut_both(
    records: list[Record],
    *,
    lead: str = "MLII",
    chunk_seconds: float = CHUNK_SECONDS,
    progress: Progress | None = None,
) -> list[tuple[CutRecord, CutRecord | None]]:
    """Both leads of each record, end to end: the second at the R-peaks that our detector finds in the first.

    The second has as many beats as the first; None where a record has no other ECG lead. Else as `cut`.
    """
    done: list[tuple[CutRecord, CutRecord | None]] = []
    for begin in range(0, len(records), TOGETHER):
        block = records[begin : begin + TOGETHER]
        with_second = [(at, column) for at, one in enumerate(block) if (column := second_column(one, lead)) is not None]
        cuts = _cut_together(block, "detector", lead, chunk_seconds, progress, with_second)
        seconds: list[CutRecord | None] = [None] * len(block)
        for (at, _), one in zip(with_second, cuts[len(block) :], strict=True):
            first = cuts[at]
            seconds[at] = replace(one, index=first.index, classes=first.classes, rhythms=first.rhythms)
        done += zip(cuts, seconds, strict=False)
    return done


def second_column(record: Record, lead: str = "MLII") -> int | None:
    """Column of the ECG lead that is read beside the analysed one; None if there is none."""
    analysed = record.best_lead(lead)
    columns = ecg_columns(record.leads, record.units, lead)
    return next((column for column in columns if column != analysed and record.has_samples(column)), None)


def _cut_together(
    records: list[Record],
    source: Source,
    lead: str,
    chunk_seconds: float,
    progress: Progress | None,
    followers: list[tuple[int, int]] | None = None,
) -> list[CutRecord]:
    """Cut records side by side, one slot each, then one for each follower: place of its record, and its column."""
    followers = followers or []
    references = [reference_of(record) for record in records]
    leaders = np.arange(len(records))
    slots = np.arange(len(records) + len(followers))
    follows = np.r_[leaders, np.array([place for place, _ in followers], np.int64)]
    path = SignalPath(len(slots))
    forced = [reference.index for reference in references] if source == "reference" else None
    rates = np.array([record.rate for record in records])[follows]
    path.reset(slots, rates, np.zeros(len(slots), np.int64), forced)
    signals = [record.millivolts(record.best_lead(lead)) for record in records]
    signals += [records[place].millivolts(column) for place, column in followers]
    lengths = np.round(rates * chunk_seconds).astype(np.int64)
    parts = []
    at = np.zeros(len(slots), np.int64)
    while True:
        chunks = [signal[i : i + n] for signal, i, n in zip(signals, at, lengths, strict=True)]
        if not any(len(chunk) for chunk in chunks):
            break
        parts.append(path.step_leads(slots, chunks, follows).beats)
        if progress:
            progress(sum(len(chunk) / record.rate for chunk, record in zip(chunks, records, strict=False)))
        at += lengths
    parts.append(path.finish(slots, follows))
    beats = Beats.join(parts)
    return [_label(beats.take(beats.slot == slot), references[follows[slot]], source) for slot in slots]


def _label(beats: Beats, reference: Reference, source: Source) -> CutRecord:
    """Give each beat the class of the reference beat it matches."""
    if source == "reference" and len(beats) == len(reference.index):
        classes, known, index = reference.classes, reference.rhythms, reference.index
    else:
        _, partner = match(reference.index, beats.index, match_window(reference.rate))
        classes, known = (
            np.where(partner >= 0, values[np.maximum(partner, 0)], -1)
            for values in (reference.classes, reference.rhythms)
        )
        index = beats.index
    return CutRecord(source, reference, beats.windows, beats.features, index, classes, known)


def _flutter(record: Record, index: NDArray[np.int64], symbol: NDArray[np.str_]) -> NDArray[np.int64]:
    """Spans from "[" to "]", or to the record's end."""
    spans = []
    begin = -1
    for at, mark in zip(index, symbol, strict=True):
        if mark == "[" and begin < 0:
            begin = int(at)
        elif mark == "]" and begin >= 0:
            spans.append((begin, int(at)))
            begin = -1
    if begin >= 0:
        spans.append((begin, len(record.samples) - 1))
    return np.array(spans, np.int64).reshape(-1, 2)
