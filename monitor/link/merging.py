"""Snapshots that a screen has not drawn yet become one: the newer state, and what is new in either."""

from __future__ import annotations

from typing import Final

from monitor.link.protocol import BedDetail, Snapshot

MOST_NOTICES: Final = 600
"""Lines kept: more than a screen lists."""


def merge(old: Snapshot, new: Snapshot) -> Snapshot:
    """Two snapshots as one; of notices that nobody could read any more the oldest go."""
    details: dict[str, BedDetail] = {detail.bed: detail for detail in old.shown}
    for detail in new.shown:
        before = details.get(detail.bed)
        details[detail.bed] = detail if before is None or detail.fresh else _joined(before, detail)
    notices = (old.notices + new.notices)[-MOST_NOTICES:]
    return Snapshot(new.status, new.beds or old.beds, list(details.values()), notices)


def _joined(old: BedDetail, new: BedDetail) -> BedDetail:
    return BedDetail(
        bed=new.bed,
        stream=new.stream,
        fresh=old.fresh,
        strips=old.strips + new.strips,
        beats=old.beats + new.beats,
        truth=old.truth + new.truth,
        memory=new.memory if new.memory is not None else old.memory,
    )
