"""Which records are sent, which of their signals, under which names of beds, and what is said about it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from ecg.errors import UserError
from ecg.records.leads import canonical, ecg_columns, pulse_columns
from ecg.records.record import Annotations, Record
from ecg.wire.messages import MOST_LEADS

STAGGER_SECONDS: Final = 7.3


def with_ecg(records: list[Record]) -> tuple[list[Record], list[str]]:
    """Those of the records that have an ECG lead, and sentences about the others. Raises UserError where none has."""
    kept, said = [], []
    for record in records:
        if ecg_columns(record.leads, record.units):
            kept.append(record)
            continue
        signals = zip(record.leads, record.units or ["mV"] * len(record.leads), strict=True)
        there = ", ".join(f"{name} in {unit or 'no unit'}" for name, unit in signals)
        said.append(f"record {record.name} has no ECG lead: its signals are {there}")
    if not kept:
        raise UserError(said[0])
    return kept, said


def sent_columns(record: Record) -> list[int]:
    """Columns of the signals to send: those with samples, as many as a wave may have, ECG and pulse before others."""
    leads = ecg_columns(record.leads, record.units)
    kept = [column for column in range(len(record.leads)) if record.has_samples(column)] or leads[:1]
    pulses = pulse_columns(record.leads, record.units)
    first = [column for column in (*leads, *pulses) if column in kept]
    return sorted([*first, *(column for column in kept if column not in first)][:MOST_LEADS])


def bed_name(wanted: str, taken: set[str]) -> str:
    """A name that a bed may have and none of `taken` has, near to the wanted one; it is then one of `taken`."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-")[-64:] or "bed"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain[: 63 - len(str(number))]}-{number}"
    taken.add(name)
    return name


def notes_on(records: list[Record], lead: str, truth: bool) -> list[str]:
    """Sentences about what is sent otherwise than the records or the options say.

    Raises UserError, with the leads that there are, where no record has the wanted lead.
    """
    said = []
    if lead != "all":
        wish = canonical(lead).upper()
        lacking = [record for record in records if wish not in (canonical(name).upper() for name in record.leads)]
        if len(lacking) == len(records):
            there = ", ".join(dict.fromkeys(name for record in records for name in record.leads))
            raise UserError(f'no record has a lead {lead!r}: give one of {there}, or "all"')
        if lacking:
            said.append(f"no lead {lead!r} in {_names(lacking)}: their best lead is sent")
    for record in records if lead == "all" else ():
        empty = [name for column, name in enumerate(record.leads) if not record.has_samples(column)]
        if empty:
            said.append(f"no samples of {', '.join(empty)} in {record.name}: not sent")
    bare = [record for record in records if record.annotations is None]
    if truth and bare:
        said.append(f"no annotations in {_names(bare)}: sent without truth")
    return said


def _names(records: list[Record]) -> str:
    return ", ".join(dict.fromkeys(record.name for record in records))


def later(record: Record, times: int) -> Record:
    """The record without its first `times` x 7.3 s; at least half remains, and starts at index 0."""
    start = round(times * STAGGER_SECONDS * record.rate) % max(len(record.samples) // 2, 1)
    if not start:
        return record
    notes = record.annotations
    if notes is not None:
        kept = notes.index >= start
        notes = Annotations(notes.index[kept] - start, notes.symbol[kept], notes.rhythm[kept])
    return replace(record, samples=record.samples[start:], annotations=notes)
