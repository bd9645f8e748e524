"""The conformance test of ecg.signal.slots.Slotted: properties of everything that holds a bed's state.

A module of tests makes a `Holder` of its own class, and runs `ALL` against it (see tests/ecg/signal/test_slots.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.signal.slots import Slotted


@dataclass(frozen=True)
class Holder:
    """How to make a holder, open a bed in it and feed the bed.

    make: a holder of so many slots. open: reset a slot for patient 0, 1 or 2. feed: the patient's step number 0 to
    `steps` - 1 into that slot; its results as arrays. The patients differ in every argument of a reset.
    """

    name: str
    make: Callable[[int], Any]
    open: Callable[[Any, int, int], None]
    feed: Callable[[Any, int, int, int], list[NDArray[Any]]]
    steps: int

    def __str__(self) -> str:
        return self.name


def alone(holder: Holder, patient: int) -> list[list[NDArray[Any]]]:
    one = holder.make(1)
    holder.open(one, 0, patient)
    return [holder.feed(one, 0, patient, step) for step in range(holder.steps)]


def assert_same(found: list[NDArray[Any]], expected: list[NDArray[Any]]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def row(holder: Slotted, slot: int) -> dict[str, NDArray[Any]]:
    return {name: value.copy() for name, value in holder.save(slot).items()}


def it_follows_the_protocol(holder: Holder) -> None:
    one = holder.make(3)
    assert isinstance(one, Slotted)
    assert one.slots == 3


def a_bed_gives_the_same_alone_and_in_company(holder: Holder) -> None:
    expected = [alone(holder, patient) for patient in range(3)]
    one = holder.make(5)
    where = (4, 0, 2)
    for patient, slot in enumerate(where):
        holder.open(one, slot, patient)
    for step in range(holder.steps):
        for patient, slot in enumerate(where):
            assert_same(holder.feed(one, slot, patient, step), expected[patient][step])


def growing_keeps_the_beds_that_are_there(holder: Holder) -> None:
    expected = alone(holder, 1)
    one = holder.make(1)
    holder.open(one, 0, 1)
    for step in range(holder.steps):
        assert_same(holder.feed(one, 0, 1, step), expected[step])
        one.grow(2 + step)
        assert one.slots == 2 + step
        holder.open(one, 1 + step, 2)
    one.grow(1)
    assert one.slots == 1 + holder.steps


def a_reset_bed_is_like_a_new_one_and_its_neighbour_goes_on(holder: Holder) -> None:
    expected, neighbour = alone(holder, 0), alone(holder, 2)
    one = holder.make(2)
    holder.open(one, 0, 1)
    holder.open(one, 1, 2)
    for step in range(holder.steps // 2):
        holder.feed(one, 0, 1, step)
        assert_same(holder.feed(one, 1, 2, step), neighbour[step])
    holder.open(one, 0, 0)
    for step in range(holder.steps):
        assert_same(holder.feed(one, 0, 0, step), expected[step])
    for step in range(holder.steps // 2, holder.steps):
        assert_same(holder.feed(one, 1, 2, step), neighbour[step])


def a_bed_saved_at_any_step_goes_on_in_another_slot_of_another_holder(holder: Holder) -> None:
    for patient in range(3):
        expected = alone(holder, patient)
        for cut in range(holder.steps):
            one = holder.make(1)
            holder.open(one, 0, patient)
            for step in range(cut):
                holder.feed(one, 0, patient, step)
            saved = one.save(0)
            if cut:  # a copy: the first bed goes on elsewhere
                holder.feed(one, 0, patient, cut)
            other = holder.make(4)
            holder.open(other, 3, (patient + 1) % 3)
            holder.feed(other, 3, (patient + 1) % 3, 0)
            other.restore(3, saved)
            for step in range(cut, holder.steps):
                assert_same(holder.feed(other, 3, patient, step), expected[step])


def a_copy_that_does_not_fit_is_refused_and_nothing_has_changed(holder: Holder) -> None:
    one = holder.make(2)
    for slot in (0, 1):
        holder.open(one, slot, 0)
        holder.feed(one, slot, 0, 0)
    good, before = one.save(0), [row(one, slot) for slot in (0, 1)]
    bad: list[dict[str, NDArray[Any]]] = [{}]
    for name, value in good.items():
        bad.append({key: other for key, other in good.items() if key != name})
        bad.append(good | {name: np.stack((value, value))[None]})
        bad.append(good | {name: value.astype(np.complex128)})
    for saved in bad:
        with pytest.raises(ValueError, match="saved"):
            one.restore(1, saved)
        for slot in (0, 1):
            after = row(one, slot)
            assert after.keys() == before[slot].keys()
            for name, value in after.items():
                assert np.array_equal(value, before[slot][name], equal_nan=value.dtype.kind == "f"), name


ALL = (
    it_follows_the_protocol,
    a_bed_gives_the_same_alone_and_in_company,
    growing_keeps_the_beds_that_are_there,
    a_reset_bed_is_like_a_new_one_and_its_neighbour_goes_on,
    a_bed_saved_at_any_step_goes_on_in_another_slot_of_another_holder,
    a_copy_that_does_not_fit_is_refused_and_nothing_has_changed,
)
