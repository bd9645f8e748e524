from __future__ import annotations

import numpy as np
import pytest

from ecg.records.record import MISSING, Record, hold, pick_lead


def record(samples: list[int], baseline: float = 1024.0) -> Record:
    column = np.array(samples, np.int16)[:, None]
    return Record(
        name="r",
        rate=360.0,
        leads=("MLII",),
        gain=np.array([200.0]),
        baseline=np.array([baseline]),
        samples=column,
        source="synthetic",
    )


def test_a_missing_sample_holds_the_last_value_before_it() -> None:
    assert record([1224, MISSING, MISSING, 1024]).millivolts(0).tolist() == [1.0, 1.0, 1.0, 0.0]


def test_before_the_first_sample_that_is_there_the_line_is_zero() -> None:
    assert record([MISSING, MISSING, 1224]).millivolts(0).tolist() == [0.0, 0.0, 1.0]


def test_a_record_whose_samples_are_all_missing_is_a_zero_line() -> None:
    assert record([MISSING] * 3).millivolts(0).tolist() == [0.0, 0.0, 0.0]


def test_samples_that_are_all_there_stay_as_they_are() -> None:
    samples = np.array([3, -4, 5], np.int16)
    assert hold(samples, 0) is samples


def test_a_baseline_beyond_16_bits_is_held_at_their_end() -> None:
    assert hold(np.array([MISSING, 7], np.int16), 40_000).tolist() == [32767, 7]


@pytest.mark.parametrize(
    ("leads", "column"),
    [
        (("V5", "MLII"), 1),
        (("V5", "mlii"), 1),
        (("V5", "V2"), 0),
        (("ABP", "II"), 1),
        (("PLETH", "Resp", "V"), 2),
        (("ABP", "PLETH"), 0),
    ],
)
def test_the_lead_wanted_is_taken_where_there_is_one_else_the_first(leads: tuple[str, ...], column: int) -> None:
    assert pick_lead(leads, "MLII") == column


def test_one_lead_alone_keeps_its_unit_and_values() -> None:
    samples = np.array([[100, 300], [90, 310]], np.int16)
    two = Record(
        name="r",
        rate=360.0,
        leads=("ABP", "II"),
        gain=np.array([1.0, 200.0]),
        baseline=np.array([0.0, 100.0]),
        samples=samples,
        source="synthetic",
        units=("mmHg", "mV"),
    )
    alone = two.alone(1)
    assert (alone.leads, alone.units, alone.millivolts(0).tolist()) == (("II",), ("mV",), two.millivolts(1).tolist())
    assert two.best_lead() == 1
