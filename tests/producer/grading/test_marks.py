"""Answers against truth, piece by piece as they come, and all at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.records.ec57 import confusion, match, match_window
from ecg.wire.messages import TruthMark
from producer.grading.marks import KINDS, NUMBER, Marks, Stream

RATE = 250.0


def stream(late_ms: float = 2000.0) -> Stream:
    return Stream(RATE, late_ms)


def graded(truth: list[tuple[int, str]], answers: list[tuple[int, int]]) -> Marks:
    one = stream()
    one.true([TruthMark(*mark) for mark in truth], 0.0)
    for index, kind in answers:
        assert one.answered(index, kind, 1.0)
    return one.settle()


def test_found_missed_misnamed_false_and_doubled_are_counted() -> None:
    truth = [(10, "+"), (100, "N"), (300, "V"), (500, "N"), (700, "V"), (900, "N")]
    made = graded(truth, [(101, 0), (290, 2), (310, 2), (505, 1), (1200, 0), (910, 5)])
    expected = np.zeros((KINDS + 1, KINDS + 1), np.int64)
    for row, column in ((0, 0), (2, 2), (6, 2), (0, 1), (2, 6), (6, 0), (0, 5)):
        expected[row, column] += 1
    assert made.table.tolist() == expected.tolist()
    assert made.doubled == 1


def test_latency_counts_from_the_sending_of_the_r_peak() -> None:
    one = stream(late_ms=900)
    one.true([TruthMark(100, "N"), TruthMark(300, "N")], 10.0)
    one.answered(100, 0, 10.5)
    one.answered(300, 0, 11.0)
    made = one.settle()
    assert made.latencies == pytest.approx([500.0, 1000.0])
    assert (made.late, made.early) == (1, 0)


def test_flutter_is_left_out() -> None:
    made = graded([(100, "N"), (200, "["), (600, "]"), (800, "N")], [(100, 0), (300, 2), (500, 2), (800, 0)])
    assert made.table.sum() == made.table[0, 0] == 2


def test_who_joins_late_grades_from_there() -> None:
    one = stream()
    one.answered(50_000, 0, 0.0)
    one.true([TruthMark(60_000, "N")], 1.0)
    assert not one.answered(59_000, 0, 1.0)
    one.answered(60_000, 0, 1.0)
    assert one.settle().table.sum() == 1


def test_what_comes_after_its_beats_were_graded_is_refused() -> None:
    one = stream()
    one.true([TruthMark(100, "N"), TruthMark(400, "N"), TruthMark(700, "N")], 1.0)
    assert one.settle(1.0).table.sum() == 0  # nothing is old enough
    assert one.settle(2.0).table[0, KINDS] == 2  # all but the last, behind which no quiet place is known
    assert not one.answered(100, 0, 3.0)
    assert one.answered(700, 0, 3.0)
    assert one.settle().table[0, 0] == 1


PLACES = st.lists(st.tuples(st.integers(0, 3600), st.sampled_from("NVSFQ")), max_size=30)


@given(PLACES, PLACES, st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_graded_in_pieces_or_at_once_the_counts_are_the_same(
    truth: list[tuple[int, str]], answers: list[tuple[int, str]], steps: list[int]
) -> None:
    truth, answers = sorted(truth), sorted(answers)
    one, total, at = stream(), Marks(), 0
    one.true([], 0.0)
    for step in [*steps, 10_000]:
        until = at + step
        one.true([TruthMark(i, c) for i, c in truth if at <= i < until], float(until))
        for index, kind in answers:
            if at <= index < until:
                one.answered(index, NUMBER[kind], float(until))
        total.add(one.settle(until - 500.0))  # answers come within 500 samples
        at = until
    total.add(one.settle())
    at_truth, at_answers = (np.array([index for index, _ in marks], np.int64) for marks in (truth, answers))
    of_truth, of_answers = match(at_truth, at_answers, match_window(RATE))
    named, answered = (np.array([NUMBER[kind] for _, kind in marks], np.int64) for marks in (truth, answers))
    expected = confusion(named, answered, of_truth, of_answers, KINDS)
    assert total.table.tolist() == expected.tolist()
