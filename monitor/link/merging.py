"""Snapshots that a screen has not drawn yet become one: the newer state, and what is new in either."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from monitor.link.protocol import BedDetail, Beside, Course, Inside, Snapshot, Studied

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
        made=new.made,
        memory=new.memory if new.memory is not None else old.memory,
        studied=studied(old.studied, new.studied),
        log=new.log if new.log is not None else old.log,
        course=course(old.course, new.course),
        last_hour=new.last_hour if new.last_hour is not None else old.last_hour,
    )


def course(old: Course | None, new: Course | None) -> Course | None:
    """Two pieces of a course as one; of another stream than the newer piece's nothing is left."""
    if old is None or new is None or old.stream != new.stream or old.first + len(old.points) != new.first:
        return new or old
    return replace(new, first=old.first, points=old.points + new.points)


def studied(old: Studied | None, new: Studied | None) -> Studied | None:
    """Two pieces of a study as one; of another study than the newer piece's nothing is left."""
    if old is None or new is None or old.number != new.number or old.stream != new.stream:
        return new or old
    models = dict.fromkeys(one.model for one in old.beside + new.beside)
    return replace(
        new,
        beside=[_beside([one for one in old.beside + new.beside if one.model == model]) for model in models],
        inside=_inside(old.inside, new.inside),
        foretold=old.foretold + new.foretold,
        errors=new.errors or old.errors,
    )


def _beside(parts: list[Beside]) -> Beside:
    return Beside(parts[-1].model, parts[-1].until, [verdict for part in parts for verdict in part.verdicts])


def _inside(old: Inside | None, new: Inside | None) -> Inside | None:
    if old is None or new is None or old.model != new.model:
        return new or old
    return replace(new, beats=old.beats + new.beats)
