"""Alarms raised in noise: records that hold no heart at all, each lead played through the ward as a bed of its own.

The MIT-BIH Noise Stress Test Database (Moody, Muldrow & Mark, Computers in Cardiology 1984:381-384) has them: `bw` is
baseline wander, `ma` muscle. Whatever is found there is false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecg.errors import UserError
from ecg.records import library
from ecg.records.aami import CLASS_OF
from ecg.records.record import Record
from monitor.alarms.kinds import KINDS, PRIORITY
from monitor.evaluation.replay import Heard


def read(folder: Path) -> tuple[list[Record], list[str]]:
    """The leads of the folder's records that hold no annotated beats, and the names of the records that do.

    Raises UserError.
    """
    leads, others = [], []
    for name in library.find("all", folder):
        record = library.read(name, folder)
        if record.annotations is not None and any(symbol in CLASS_OF for symbol in record.annotations.symbol.tolist()):
            others.append(name)
            continue
        for column, lead in enumerate(record.leads):
            leads.append(replace(record.alone(column), name=f"{name} {lead}"))
    if not leads:
        raise UserError(f"{folder} holds no record without a heart: all have annotated beats")
    return leads, others


def evaluate(records: Sequence[Record], heard: Sequence[Heard]) -> dict[str, Any]:
    """Alarms an hour by kind, and of all high ones together; beats a minute."""
    hours = sum(record.seconds for record in records) / 3600
    kinds = Counter(each.kind for one in heard for each in one.raised if not each.again)
    high = sum(kinds[kind] for kind in KINDS if PRIORITY[kind] == "high")
    return {
        "records": [record.name for record in records],
        "hours": hours,
        "beats_per_minute": sum(len(one.beats) for one in heard) / (60 * hours),
        "high_per_hour": high / hours,
        "kinds": {kind: kinds[kind] / hours for kind in KINDS if kinds[kind]},
    }
