"""Beats read in a second thread are the same beats."""

from __future__ import annotations

import threading

import pytest

from ecg import beside
from ecg.signal import found
from monitor.ward import second_thread
from tests.support.wards import EXCERPT, Run, messages, part, same


def played(seen: set[str]) -> Run:
    """Twenty beds of which each goes on where another one is, half of a minute in messages of a second and a half."""
    run = Run()
    infer = run.ward.engine.infer

    def noted(beats: object) -> object:
        seen.add(threading.current_thread().name)
        return infer(beats)  # type: ignore[arg-type]

    run.ward.engine.infer = noted  # type: ignore[method-assign, assignment]
    sent = [messages(part(EXCERPT, at * 700, at * 700 + 5400), list(range(0, 5400, 540))) for at in range(20)]
    for turn in zip(*sent, strict=True):
        for bed, wave in enumerate(turn):
            run.ward.wave(f"bed-{bed}", wave, 0)
        run.step()
    run.finish()
    return run


def test_beats_and_alarms_are_the_same_with_a_second_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    monkeypatch.setattr(beside, "cores", lambda: 1)
    monkeypatch.setattr(second_thread, "FEWEST", 20)
    monkeypatch.setattr(found, "MANY", 500)
    alone = played(seen)
    assert seen == {threading.current_thread().name}
    monkeypatch.setattr(beside, "cores", lambda: 2)
    both = played(seen)
    assert beside.NAME in seen
    for bed in range(20):
        same(both.of(f"bed-{bed}"), alone.of(f"bed-{bed}"))
