"""Rows of beats as a strip: every beat where its truth says, nothing of the padding, no rhythm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records import ec57, rows, stitching
from ecg.records.opening import open_records
from ecg.records.rows import ROW_LENGTH, Rows
from producer.sources.choosing import notes_on
from producer.sources.records import make_beds
from tests.support.annotated_pieces import annotated
from trainer.data.cutting import cut
from trainer.data.rows import rows_of, write_csv


def some(classes: list[int], length: int = 120) -> Rows:
    """Rows that begin with an R-peak and are padded after `length` samples."""
    row = np.zeros(ROW_LENGTH, np.float32)
    row[:length] = 0.3
    row[:5] = [1.0, 0.8, 0.4, 0.0, 0.2]
    row[30:45] = 0.45
    return Rows(np.tile(row, (len(classes), 1)), np.array(classes, np.int64))


def test_every_row_is_a_beat_at_its_place_and_its_padding_is_gone() -> None:
    record = stitching.stitch(some([0, 2, 1, 3, 4]), "mine")
    notes = record.annotations
    assert notes is not None
    assert notes.symbol.tolist() == ["N", "V", "S", "F", "Q"]
    assert np.diff(notes.index).tolist() == [100] * 4  # 120 samples of 1.2 RR intervals
    signal = record.millivolts(0)
    assert np.allclose(signal[notes.index], 1.5 * 0.7)
    assert np.abs(signal[[0, 96, 97, 98, 99]]).max() == 0
    assert np.abs(np.diff(signal)).max() <= 1.5 * 0.4 + 1e-6  # no step but those of the rows


def test_real_beats_stitched_are_found_where_the_truth_has_them() -> None:
    record = stitching.stitch(rows_of(annotated("208", 0.0)), "208")
    assert record.annotations is not None
    reference = record.annotations.index
    found = np.sort(cut([record], "detector")[0].index)
    score = ec57.score(*ec57.match(reference, found, ec57.match_window(record.rate)))
    assert len(reference) > 50 and score.sensitivity > 0.95 and score.predictivity > 0.9


def test_a_file_of_rows_is_known_by_its_188_columns(tmp_path: Path) -> None:
    write_csv(tmp_path / "mitbih_test.csv", some([0, 0, 2]))
    (record,) = open_records(tmp_path / "mitbih_test.csv")
    assert (record.name, record.source) == ("STITCHED, not a rhythm: mitbih_test", "stitched: not a real rhythm")
    (bed,) = make_beds([record], 0, "all", 0.25, "r", False, True)
    assert (bed.name, bed.status(True, 1.0).source) == ("mitbih_test", "stitched: not a real rhythm")
    wave, _ = bed.next(0)
    assert wave is not None
    assert wave.record[:24] == "STITCHED, not a rhythm: "  # what a screen has room for
    assert notes_on([record], "all", truth=True) == []


def test_classes_may_have_beds_of_their_own(tmp_path: Path) -> None:
    write_csv(tmp_path / "b.csv", some([2, 0, 2, 1]))
    records = open_records(tmp_path / "b.csv", by_class=True)
    beds = make_beds(records, 0, "all", 0.25, "r", False, True)
    assert [bed.name for bed in beds] == ["b-N", "b-S", "b-V"]
    assert [len(one.annotations.index) for one in records if one.annotations] == [1, 1, 2]


def test_the_labels_of_ptb_are_rhythms_and_no_classes(tmp_path: Path) -> None:
    write_csv(tmp_path / "ptbdb_both.csv", some([0, 0, 1, 1, 0]))
    notes = open_records(tmp_path / "ptbdb_both.csv")[0].annotations
    assert notes is not None
    assert notes.symbol.tolist() == ["+"] * 3
    assert notes.rhythm.tolist() == ["(NORMAL", "(ABNORMAL", "(NORMAL"]
    write_csv(tmp_path / "ptbdb_odd.csv", some([0, 3]))
    with pytest.raises(UserError, match="a label of 3, allowed in a file of PTB are 0 and 1"):
        open_records(tmp_path / "ptbdb_odd.csv")


def test_an_empty_row_is_a_flat_beat() -> None:
    record = stitching.stitch(Rows(np.zeros((2, ROW_LENGTH), np.float32), np.zeros(2, np.int64)), "flat")
    assert not record.samples.any()


def test_a_row_beyond_0_to_1_is_named(tmp_path: Path) -> None:
    beats = some([0, 1, 2])
    write_csv(tmp_path / "b.csv", beats)
    lines = (tmp_path / "b.csv").read_text().splitlines()
    lines[1] = "1024" + lines[1][lines[1].index(",") :]
    (tmp_path / "b.csv").write_text("\n".join(lines))
    with pytest.raises(UserError, match=r"row 2, column 1: 1024 is outside of 0 to 1, .*; so are 1 rows"):
        rows.read_csv(tmp_path / "b.csv")
