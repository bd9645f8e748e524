from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecg.records.ec57 import class_score, confusion, match, match_window, score


def indices(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def test_the_match_window_is_54_samples_at_360_hz() -> None:
    assert match_window(360.0) == 54


def test_beats_within_the_window_are_paired_and_the_rest_are_not() -> None:
    ref, test = match(indices(100, 500, 900), indices(90, 560, 900), 54)
    assert ref.tolist() == [0, -1, 2]
    assert test.tolist() == [0, -1, 2]


def test_the_window_includes_its_edges() -> None:
    assert match(indices(100), indices(154), 54)[0].tolist() == [0]
    assert match(indices(100), indices(155), 54)[0].tolist() == [-1]


def test_of_two_found_beats_the_nearer_one_is_the_match() -> None:
    ref, test = match(indices(100), indices(60, 104), 54)
    assert ref.tolist() == [1]
    assert test.tolist() == [-1, 0]


def test_nested_pairs_never_cross_in_time() -> None:
    ref, test = match(indices(20, 50), indices(10, 25), 54)
    matched = [j for j in ref.tolist() if j >= 0]
    assert matched == sorted(matched)
    assert ref.tolist() == [1, -1]
    assert test.tolist() == [-1, 0]


def test_nothing_matches_nothing() -> None:
    ref, test = match(indices(), indices(5, 10), 54)
    assert ref.tolist() == []
    assert test.tolist() == [-1, -1]
    assert math.isnan(score(ref, test).sensitivity)
    assert score(ref, test).predictivity == 0.0


@given(
    st.lists(st.integers(0, 3000), max_size=25, unique=True).map(sorted),
    st.lists(st.integers(0, 3000), max_size=25, unique=True).map(sorted),
    st.integers(0, 200),
)
def test_a_matching_is_one_to_one_in_order_within_the_window_and_leaves_no_lonely_neighbours(
    ref: list[int], test: list[int], window: int
) -> None:
    reference, found = indices(*ref), indices(*test)
    ref_match, test_match = match(reference, found, window)
    pairs = [(i, j) for i, j in enumerate(ref_match.tolist()) if j >= 0]
    assert all(test_match[j] == i and abs(reference[i] - found[j]) <= window for i, j in pairs)
    assert len(pairs) == int((test_match >= 0).sum())
    assert [j for _, j in pairs] == sorted(j for _, j in pairs)
    if not pairs:
        assert not (np.abs(reference[:, None] - found[None, :]) <= window).any()


@given(st.lists(st.integers(0, 5000), max_size=30, unique=True).map(sorted), st.integers(0, 100))
def test_a_list_matches_itself_completely(beats: list[int], window: int) -> None:
    ref_match, _ = match(indices(*beats), indices(*beats), window)
    assert ref_match.tolist() == list(range(len(beats)))


def test_confusion_counts_missed_and_false_beats_in_the_last_column_and_row() -> None:
    ref_match, test_match = match(indices(100, 500, 900), indices(100, 510, 1300), 54)
    table = confusion(indices(0, 2, 2), indices(0, 0, 2), ref_match, test_match)
    assert table[0, 0] == 1
    assert table[2, 0] == 1
    assert table[2, 5] == 1
    assert table[5, 2] == 1
    assert table.sum() == 4
    normal, ventricular = class_score(table, 0), class_score(table, 2)
    assert (normal.sensitivity, normal.predictivity) == (1.0, 0.5)
    assert (ventricular.found, ventricular.missed, ventricular.false) == (0, 2, 1)
