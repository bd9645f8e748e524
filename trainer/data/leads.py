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
    """The record with the lead alone that is not analysed; None if it has one ECG lead."""
    column = column_of(record, main=False)
    return None if column == record.best_lead() else replace(record.alone(column), name=other_key(record.name))
