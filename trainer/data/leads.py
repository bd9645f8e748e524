"""The other lead of a record among cut beats: a record of its own, cut at the R-peaks of the lead that is analysed.

A network fitted on it too holds when leads are swapped or one is off, and two leads can be scored together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trainer.data.cutting import CutRecord

MARK: Final = "+"


def other_key(name: str) -> str:
    """The name of a record's other lead among cut beats."""
    return name + MARK


def as_other(second: CutRecord) -> CutRecord:
    """The second lead of `trainer.data.cutting.cut_both`, under its own name."""
    return replace(second, reference=replace(second.reference, name=other_key(second.name)))
