"""Records by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records import aami, library


def test_the_excerpt_is_real_and_needs_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    record = library.read("excerpt")
    assert record.samples.shape == (108_000, 1)
    assert record.source == "excerpt"
    assert record.annotations is not None
    symbols, counts = np.unique(record.annotations.symbol, return_counts=True)
    assert dict(zip(symbols.tolist(), counts.tolist(), strict=True)) == {"F": 56, "N": 358, "Q": 2, "V": 93}


def test_the_excerpt_is_the_packages_own_wherever_it_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = library.read("excerpt")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert np.array_equal(library.read("excerpt").samples, found.samples)


def test_the_excerpt_is_what_the_database_holds(records: list[str]) -> None:
    excerpt, whole = library.read("excerpt"), library.read("208")
    first, last = 422_820, 530_820
    assert np.array_equal(excerpt.samples[:, 0], whole.samples[first:last, 0])
    ours, theirs = excerpt.annotations, whole.annotations
    assert ours is not None and theirs is not None
    beats = (theirs.index >= first) & (theirs.index < last) & np.isin(theirs.symbol, list(aami.CLASS_OF))
    assert np.array_equal(ours.index, theirs.index[beats] - first)
    assert np.array_equal(ours.symbol, theirs.symbol[beats])


def test_groups_and_lists_name_records() -> None:
    assert library.find("ds1, 100,100") == [*aami.DS1, "100"]
    assert len(library.find("all")) == 48


def test_an_unknown_record_is_named_together_with_near_ones() -> None:
    with pytest.raises(UserError, match=r"no record '1OO' is known; give 10"):
        library.find("1OO")


def test_a_missing_record_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    assert library.missing(["100", "excerpt"]) == ["100"]
    with pytest.raises(UserError, match=r"record 100 is not in .*ECG_DATA"):
        library.read("100")
