"""Which alarm of a bed stands in front: one that stays there for as long as nothing graver comes."""

from __future__ import annotations

from typing import Final

from monitor.link.protocol import ActiveAlarm, BedSummary

RANK: Final = {"high": 3, "medium": 2, "low": 1}


def ordered(bed: BedSummary, before: BedSummary | None = None) -> list[ActiveAlarm]:
    """The bed's alarms, gravest first: by priority, then those not acknowledged, then by the time they were raised.

    before: the summary before this. The first alarm of that stays first while it stands and none of a higher priority
    comes, even where the service hides it behind another of its chain and priority (couplet, trigeminy and frequent V
    would take turns otherwise). A high alarm gives way to a graver one of its chain: asystole to nothing.
    """
    alarms = sorted(
        bed.alarms,
        key=lambda alarm: (
            -RANK[alarm.priority],
            alarm.acknowledged,
            alarm.latched,
            bed.raised.get(alarm.kind, alarm.onset),
            alarm.onset,
        ),
    )
    held = before.alarms[0] if before is not None and before.stream == bed.stream and before.alarms else None
    if (
        held is None
        or not alarms
        or held.priority == "high"
        or held.priority != alarms[0].priority
        or held.acknowledged
        or alarms[0].acknowledged
        or held.kind not in bed.raised
        or bed.raised[held.kind] != (before.raised if before else {}).get(held.kind)
    ):
        return alarms
    there = next((alarm for alarm in alarms if alarm.kind == held.kind), held)
    return [there, *(alarm for alarm in alarms if alarm.kind != held.kind)]
