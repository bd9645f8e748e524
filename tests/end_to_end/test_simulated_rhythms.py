"""What detector, network and alarms make of simulated rhythms: each raises the alarm that its definition asks for.

docs/simulator.md has the whole table, with what is wrong. A row that is wrong there is not held to anything here, but
for the alarm itself where it comes in time.
"""

from __future__ import annotations

import numpy as np
import pytest

from ecg.model import weights
from ecg.records.ec57 import Score, match, match_window
from ecg.rhythms.simulation.orders import Orders
from ecg.settings import Config
from monitor.evaluation.replay import listen
from monitor.evaluation.simulated import RATE, record_of
from tests.support.simulated import ASKED, Row, records, table

OTHER_ALARMS = {
    "vt",
    "vf",
    "lbbb",
    "paced",
    "paced_failure_to_capture",
    "paced_failure_to_sense",
    "r_on_t",
    "motion",
}
"""Rows in which alarms come that should not."""
NEVER = {"r_on_t"}
"""Rows in which the alarm asked for does not come."""


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """Every row of the table, by the weights that are used by default."""
    return {row.asked.name: row for row in table(records())}


@pytest.mark.parametrize("name", [one.name for one in ASKED if one.alarms and one.name not in NEVER])
def test_a_rhythm_raises_the_alarm_that_it_is_within_its_time(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert row.after is not None and row.after <= row.asked.within


@pytest.mark.parametrize("name", [one.name for one in ASKED if one.name not in OTHER_ALARMS])
def test_a_rhythm_raises_no_alarm_that_it_is_not(name: str, rows: dict[str, Row]) -> None:
    assert not rows[name].others


def test_the_rows_that_are_said_to_be_wrong_are_rows() -> None:
    assert {*OTHER_ALARMS, *NEVER} <= {one.name for one in ASKED}


def test_the_detector_finds_simulated_sinus_beats_and_no_others() -> None:
    fitted, _ = weights.load("memory-gru")
    played = [
        record_of(f"s{n}", [(0, Orders(rhythm="sinus", rate=rate, variability=1.0))], 70.0, f"sinus {n}")
        for n, rate in enumerate(np.linspace(50, 120, 16))
    ]
    total = Score(0, 0, 0)
    for record, heard in zip(played, listen(played, Config(), fitted, "cpu"), strict=True):
        notes = record.annotations
        assert notes is not None
        first, last = 3 * RATE, len(record.samples) - RATE
        reference = notes.index[(notes.symbol == "N") & (notes.index > first) & (notes.index < last)]
        test = heard.index[(heard.index > first) & (heard.index < last)]
        ours, theirs = match(reference, test, match_window(RATE))
        total += Score(int((ours >= 0).sum()), int((ours < 0).sum()), int((theirs < 0).sum()))
    assert total.found > 1400
    assert total.sensitivity > 0.999 and total.predictivity > 0.999
