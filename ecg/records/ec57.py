"""Beat-by-beat matching of found beats with reference beats, and the scores that follow from it.

ANSI/AAMI EC57:2012, 4.3: a reference beat and a test beat are the same beat where they lie within the match
window (150 ms) of one another; each is used once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

MATCH_SECONDS = 0.150


@dataclass(frozen=True, slots=True)
class Score:
    """What was found of what there was. found, missed: reference items. false: test items without a reference."""

    found: int
    missed: int
    false: int

    @property
    def sensitivity(self) -> float:
        """Share of the reference that was found; NaN where there was none."""
        total = self.found + self.missed
        return self.found / total if total else nan

    @property
    def predictivity(self) -> float:
        """Share of the test that was right (positive predictivity, +P); NaN where there was none."""
        total = self.found + self.false
        return self.found / total if total else nan

    def __add__(self, other: Score) -> Score:
        return Score(self.found + other.found, self.missed + other.missed, self.false + other.false)


def match_window(rate: float) -> int:
    """The match window of EC57 in samples at `rate` Hz."""
    return int(MATCH_SECONDS * rate)


def match(
    reference: NDArray[np.int64], test: NDArray[np.int64], window: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair reference beats with test beats: one to one, nearest first, never crossing in time.

    reference: int64 [n], test: int64 [m], sample indices in ascending order. window: samples, inclusive.
    Returns (ref_match int64 [n], test_match int64 [m]): position of the partner in the other array, -1 for none.
    """
    first = np.searchsorted(test, reference - window, side="left")
    counts = np.searchsorted(test, reference + window, side="right") - first
    ref_of = np.repeat(np.arange(len(reference)), counts)
    test_of = np.arange(len(ref_of)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    ref_match = np.full(len(reference), -1, np.int64)
    test_match = np.full(len(test), -1, np.int64)
    for pair in np.argsort(np.abs(reference[ref_of] - test[test_of]), kind="stable"):
        i, j = int(ref_of[pair]), int(test_of[pair])
        if ref_match[i] < 0 and test_match[j] < 0 and not _crosses(reference, ref_match, i, j, 2 * window):
            ref_match[i], test_match[j] = j, i
    return ref_match, test_match


def _crosses(reference: NDArray[np.int64], ref_match: NDArray[np.int64], i: int, j: int, reach: int) -> bool:
    """Would pairing reference i with test j cross a pair already made? `reach`: as far as one could."""
    before = i - 1
    while before >= 0 and reference[i] - reference[before] <= reach:
        if ref_match[before] > j:
            return True
        before -= 1
    after = i + 1
    while after < len(reference) and reference[after] - reference[i] <= reach:
        if 0 <= ref_match[after] < j:
            return True
        after += 1
    return False


def score(ref_match: NDArray[np.int64], test_match: NDArray[np.int64]) -> Score:
    """Detection score (whatever the classes) of a matching."""
    found = int((ref_match >= 0).sum())
    return Score(found, len(ref_match) - found, int((test_match < 0).sum()))


def confusion(
    reference: NDArray[np.int64],
    test: NDArray[np.int64],
    ref_match: NDArray[np.int64],
    test_match: NDArray[np.int64],
    classes: int = 5,
) -> NDArray[np.int64]:
    """Count beats by reference class (row) and test class (column).

    reference: int64 [n], test: int64 [m], class numbers 0 .. classes - 1.
    Returns int64 [classes + 1, classes + 1]; the last column holds missed beats, the last row false ones.
    """
    table = np.zeros((classes + 1, classes + 1), np.int64)
    found = ref_match >= 0
    np.add.at(table, (reference[found], test[ref_match[found]]), 1)
    np.add.at(table, (reference[~found], np.full(int((~found).sum()), classes)), 1)
    lone = test_match < 0
    np.add.at(table, (np.full(int(lone.sum()), classes), test[lone]), 1)
    return table


def class_score(table: NDArray[np.int64], column: int) -> Score:
    """One class's score in a confusion table: a beat missed or called otherwise counts as missed."""
    found = int(table[column, column])
    return Score(found, int(table[column].sum()) - found, int(table[:, column].sum()) - found)
