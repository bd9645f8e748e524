"""Messages to the ward: whatever one of them breaks, the others are read."""

from __future__ import annotations

import pytest

from ecg.wire.messages import encode_wave
from ecg.wire.topics import Topics
from monitor.service.connection import Arrival
from monitor.service.overload import Lag
from monitor.service.problems import Problems
from monitor.service.router import Router
from monitor.ward.intake import Intake
from tests.support.services import QUARTERS
from tests.support.wards import Run


def test_a_message_that_breaks_its_bed_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    run, problems = Run(), Problems()
    router = Router(run.ward, Topics("ecg/v1"), Lag(10.0), problems)
    real = Intake.offer

    def breaks(self: Intake, *rest: object) -> object:
        if self.bed == "odd":
            raise IndexError("index 1 is out of bounds")
        return real(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Intake, "offer", breaks)
    router.take(Arrival(f"ecg/v1/{bed}/wave", encode_wave(QUARTERS[0]), False, 1) for bed in ("a", "odd", "b"))
    assert sorted(run.ward.beds) == ["a", "b", "odd"]
    assert (run.ward.ledger.received, run.ward.ledger.junk) == (2 * 90, 1)
    assert problems.sentences() == [
        "reading a message on ecg/v1/odd/wave failed (IndexError: index 1 is out of bounds)"
    ]
