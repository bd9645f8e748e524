"""The same beats, probabilities and alarms as before, for five records and the excerpt, live and offline.

A change of results that is meant is written down with `python tests/golden/digests.py`, and explained where it is made.
"""

from __future__ import annotations

import numpy as np
import pytest

from ecg.records import library
from ecg.records.record import Record
from ecg.settings import Config, MonitorSettings
from tests.golden import digests

TOLERANCE = 1e-5


def compare(name: str, found: digests.Arrays) -> None:
    with np.load(digests.FOLDER / f"{name}.npz") as before:
        shown = digests.kept(found)
        for key in shown:
            if key.endswith(".probabilities"):
                np.testing.assert_allclose(shown[key], before[key], atol=TOLERANCE, err_msg=key)
            else:
                assert np.array_equal(shown[key], before[key]), key


def test_the_excerpt_is_read_live_as_before() -> None:
    compare("excerpt", digests.live([library.read("excerpt")]))


@pytest.fixture(scope="module")
def five() -> list[Record]:
    if library.missing(list(digests.RECORDS)):
        pytest.skip(f"the MIT-BIH records are not in {library.folder()} (set $ECG_DATA)")
    return [library.read(name) for name in digests.RECORDS]


@pytest.fixture(scope="module")
def live(five: list[Record]) -> digests.Arrays:
    return digests.live(five)


@pytest.fixture(scope="module")
def offline(five: list[Record]) -> digests.Arrays:
    return digests.offline(five)


def test_five_records_are_read_live_as_before(live: digests.Arrays) -> None:
    compare("records", live)


def test_five_records_are_read_offline_as_before(offline: digests.Arrays) -> None:
    compare("records", offline)


def test_offline_says_what_live_says(five: list[Record], offline: digests.Arrays) -> None:
    one_lead = digests.live(five[:2], config=Config(monitor=MonitorSettings(second_lead=False)))
    for record in five[:2]:
        name = record.name
        assert np.array_equal(one_lead[f"{name}.index"], offline[f"{name}.detector.index"])
        np.testing.assert_allclose(
            one_lead[f"{name}.probabilities"], offline[f"{name}.detector.probabilities"], atol=TOLERANCE
        )
