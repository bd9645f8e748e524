"""The other lead of a record, cut as a record of its own: a network fitted on it too holds when leads are swapped."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ecg.records.record import Record
from ecg.rhythms.donors import column_of

MARK: Final = "+"


def other_key(name: str) -> str:
    """The name of a record's other lead among cut beats."""
    return name + MARK


def other_lead(record: Record) -> Record | None:
    """The record with the lead alone that is not analysed; None if it has one lead."""
    if len(record.leads) == 1:
        return None
    column = column_of(record, main=False)
    only = slice(column, column + 1)
    return replace(
        record,
        name=other_key(record.name),
        leads=record.leads[only],
        gain=record.gain[only],
        baseline=record.baseline[only],
        samples=record.samples[:, only],
    )
