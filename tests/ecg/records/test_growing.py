"""Records that grow: any WFDB program reads them at any time, here the package wfdb."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray
from wfdb.io.annotation import ann_label_table

from ecg.records import growing
from ecg.records.growing import GrowingRecord
from ecg.records.marks import CODES, Mark
from ecg.records.record import MISSING

RANDOM = np.random.default_rng(1)
SIGNAL: NDArray[np.int16] = RANDOM.integers(-32768, 32767, (4000, 2), endpoint=True).astype(np.int16)
BEGUN_S = 1_700_000_000.25


def record(folder: Path, name: str = "r_1") -> GrowingRecord:
    made = GrowingRecord(
        folder=folder,
        name=name,
        rate=360.0,
        leads=("MLII", "V1\n# x"),
        gain=(200.0, 100.5),
        baseline=(1024.0, -3.4),
        begun_s=BEGUN_S,
        comments=(f"{growing.BEGUN}2023-11-14T22:13:20.250+00:00", " stream: a\nb"),
    )
    made.create()
    return made


def signal(folder: Path, name: str = "r_1") -> NDArray[np.int16]:
    found: NDArray[np.int16] = wfdb.rdrecord(str(folder / name), physical=False).d_signal.astype(np.int16)
    return found


def test_the_codes_are_those_of_wfdb() -> None:
    theirs = {row.symbol: row.label_store for row in ann_label_table.itertuples() if row.label_store}
    assert theirs == CODES


def test_a_record_is_read_at_every_moment_of_its_growth(tmp_path: Path) -> None:
    grows = record(tmp_path)
    for begin, end in ((0, 1), (1, 1000), (1000, 1000), (1000, 4000)):
        grows.append(SIGNAL[begin:end])
        assert np.array_equal(signal(tmp_path), SIGNAL[:end])
    grows.finish()
    read = wfdb.rdrecord(str(tmp_path / "r_1"), physical=False)
    assert np.array_equal(read.d_signal, SIGNAL)
    assert read.sig_name == ["MLII", "V1?# x"]
    assert (read.adc_gain, read.baseline, read.fs) == ([200.0, 100.5], [1024, -3], 360)
    assert read.base_datetime == datetime.fromtimestamp(BEGUN_S, UTC).replace(tzinfo=None)
    assert read.checksum == [int(value) for value in SIGNAL.sum(axis=0, dtype=np.int64).astype(np.int16)]
    assert read.init_value == SIGNAL[0].tolist()
    assert "stream: a?b" in read.comments


def test_a_lead_keeps_its_unit(tmp_path: Path) -> None:
    grows = replace(record(tmp_path), name="r_2", units=("mV", "mm Hg"))
    grows.create()
    grows.append(SIGNAL[:10])
    assert wfdb.rdheader(str(tmp_path / "r_2")).units == ["mV", "mm_Hg"]
    growing.finish(tmp_path, "r_2")
    assert wfdb.rdheader(str(tmp_path / "r_2")).units == ["mV", "mm_Hg"]


def test_missing_samples_are_missing(tmp_path: Path) -> None:
    grows = record(tmp_path)
    rows = SIGNAL[:10].copy()
    rows[3:5] = MISSING
    grows.append(rows)
    assert np.isnan(wfdb.rdrecord(str(tmp_path / "r_1")).p_signal[3:5]).all()


def test_annotations_come_in_the_order_of_their_samples_however_late(tmp_path: Path) -> None:
    grows, told = record(tmp_path), []
    index = np.cumsum(RANDOM.integers(20, 900, 200))
    for number, at in enumerate(index.tolist()):
        late = max(at - int(RANDOM.integers(0, 700)), 0) if number % 3 else at + 100_000 * number
        told.append(Mark(at, "NSVFQ"[number % 5], "text of odd len" if number % 7 == 0 else ""))
        grows.annotate([told[-1]])
        if number % 3:
            told.append(Mark(late, '"', "pause onset"))
            grows.annotate([told[-1]])
    found = wfdb.rdann(str(tmp_path / "r_1"), "atr")
    expected = sorted(told, key=lambda mark: mark.sample)
    assert found.sample.tolist() == [mark.sample for mark in expected]
    assert found.symbol == [mark.symbol for mark in expected]
    assert [note.rstrip("\0") for note in found.aux_note] == [mark.note for mark in expected]


def test_long_intervals_are_skipped_over(tmp_path: Path) -> None:
    grows = record(tmp_path)
    grows.annotate([Mark(1023, "N"), Mark(2047, "V"), Mark(3_000_000_000, "N")])
    assert wfdb.rdann(str(tmp_path / "r_1"), "atr").sample.tolist() == [1023, 2047, 3_000_000_000]


def test_what_a_killed_process_left_gets_its_length(tmp_path: Path) -> None:
    grows = record(tmp_path)
    grows.append(SIGNAL[:100])
    grows.annotate([Mark(5, "N")])
    with grows.file("dat").open("ab") as torn:
        torn.write(b"\1\2\3")
    with grows.file("atr").open("r+b") as torn:
        torn.truncate(1)
    assert growing.finish(tmp_path, "r_1", [Mark(5, "N"), Mark(50, "V")]) == 100
    read = wfdb.rdrecord(str(tmp_path / "r_1"), physical=False)
    assert read.sig_len == 100
    assert read.checksum == [int(value) for value in SIGNAL[:100].sum(axis=0, dtype=np.int64).astype(np.int16)]
    assert wfdb.rdann(str(tmp_path / "r_1"), "atr").sample.tolist() == [5, 50]
    with pytest.raises(ValueError, match="left while it grew"):
        growing.finish(tmp_path, "r_1")


def test_a_disk_that_takes_half_of_it_leaves_whole_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grows = record(tmp_path)
    grows.append(SIGNAL[:100])
    real, calls = os.pwrite, 0

    def half(file: int, content: bytes, at: int) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(28, "No space left on device")
        return real(file, content[: len(content) // 2 + 1], at)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="No space"):
        grows.append(SIGNAL[100:200])
    monkeypatch.undo()
    assert np.array_equal(signal(tmp_path), SIGNAL[:100])
    grows.append(SIGNAL[100:200])
    assert np.array_equal(signal(tmp_path), SIGNAL[:200])


def test_nothing_is_written_over_a_record_that_is_there(tmp_path: Path) -> None:
    record(tmp_path)
    with pytest.raises(FileExistsError):
        record(tmp_path)
