"""Events in words, as people read them."""

from __future__ import annotations

import pytest

from monitor.alarms import Change
from monitor.service.notices import notices
from monitor.ward.events import AlarmChanged, BeatRead, MemoryReset, ResetReason


@pytest.mark.parametrize(
    ("reason", "seconds", "text"),
    [
        (ResetReason.NEW_RECORD, 0.0, "new record"),
        (ResetReason.RESTARTED, 0.0, "stream began again"),
        (ResetReason.RESUMED, 0.0, "stream resumed"),
        (ResetReason.GAP, 2.52, "gap of 2.5 s"),
        (ResetReason.LEAD_WAS_OFF, 0.0, "lead was off"),
        (ResetReason.OVERLOAD, 20.0, "gap, 20.0 s of signal waited unread (max_lag_seconds)"),
    ],
)
def test_a_reset_says_why(reason: ResetReason, seconds: float, text: str) -> None:
    event = MemoryReset(bed="a", stream="s", index=7, reason=reason, seconds=seconds)
    (notice,) = notices(event, 12.0)
    assert (notice.kind, notice.text, notice.index, notice.wall_s) == ("reset", f"memory reset: {text}", 7, 12.0)


def test_a_new_bed_has_lost_nothing() -> None:
    assert list(notices(MemoryReset(bed="a", stream="s", index=0, reason=ResetReason.NEW_BED), 0.0)) == []


def beat(cls: str) -> BeatRead:
    return BeatRead(
        bed="a",
        stream="s",
        index=900,
        cls=cls,
        probabilities=(0.1, 0.0, 0.7, 0.2, 0.0),
        rr_ms=800.0,
        heart_rate=75.0,
        moved=0.5,
        sent_ns=0,
        received_ns=0,
        latency_ms=6.5,
        lookahead_ms=467.4,
    )


def test_only_an_abnormal_beat_is_a_line() -> None:
    assert list(notices(beat("N"), 0.0)) == []
    (notice,) = notices(beat("V"), 0.0)
    assert (notice.kind, notice.text, notice.cls) == ("beat", "V beat", "V")
    assert (notice.probability, notice.latency_ms, notice.index) == (0.7, 6.5, 900)


def test_an_alarm_is_a_line_when_it_begins_and_when_it_ends_unless_a_graver_one_hides_it() -> None:
    changes = (
        Change("onset", "asystole", 500, 100),
        Change("onset", "pause", 500, 100, hidden=True),
        Change("acknowledge", "asystole", 600, 100),
        Change("end", "asystole", 700, 100, 690),
        Change("clear", "asystole", 700, 100, 690),
    )
    event = AlarmChanged(bed="a", stream="s", rate=360.0, index=700, active=(), changes=changes)
    assert [(one.kind, one.text, one.priority, one.index) for one in notices(event, 0.0)] == [
        ("alarm", "asystole", "high", 100),
        ("end", "asystole", "high", 100),
    ]
