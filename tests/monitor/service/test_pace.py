"""The pauses between steps of the main loop."""

from __future__ import annotations

import pytest

from monitor.service.pace import GATHER_SECONDS, Pace


def test_a_message_after_a_silence_waits_only_for_those_sent_with_it() -> None:
    pace = Pace(0.06)
    assert pace.pause_s(10.0) == GATHER_SECONDS
    pace.stepped(10.0, 10.001)
    assert pace.pause_s(10.5) == GATHER_SECONDS


@pytest.mark.parametrize("step_s", [0.001, 0.01, 0.02])
def test_between_two_steps_no_message_waits_longer_than_the_deadline(step_s: float) -> None:
    pace, now = Pace(0.06), 0.0
    for _ in range(100):
        came = now  # as a step begins: what comes then waits the longest
        pace.stepped(now, now + step_s)
        now += step_s
        now += pace.pause_s(now)
        assert now + step_s - came <= 0.06 + GATHER_SECONDS + step_s
    assert now + step_s - came <= 0.06
    assert now - came >= 2 * GATHER_SECONDS


def test_long_steps_follow_one_another() -> None:
    pace = Pace(0.06)
    for _ in range(50):
        pace.stepped(0.0, 0.2)
    assert pace.pause_s(0.2) == GATHER_SECONDS


def test_no_deadline_is_no_pause() -> None:
    assert Pace(0.0).pause_s(1.0) == 0.0
