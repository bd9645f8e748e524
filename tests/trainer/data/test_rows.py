from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.model.lecture import ROW_LENGTH
from ecg.records import aami, library
from ecg.records.record import MISSING, Record, pick_lead
from tests.support.annotated_pieces import fake
from trainer.data import rows
from trainer.data.rows import Rows


def some(count: int = 60) -> Rows:
    rng = np.random.default_rng(0)
    return Rows(rng.random((count, ROW_LENGTH)).astype(np.float32), np.arange(count) % 5)


def written(folder: Path, change: object = None) -> Path:
    """A good file of six rows, then changed: a function of its lines."""
    path = folder / "rows.csv"
    rows.write_csv(path, some(6))
    if callable(change):
        lines = path.read_text().splitlines()
        change(lines)
        path.write_text("".join(line + "\n" for line in lines))
    return path


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = written(tmp_path)
    back = rows.read_csv(path)
    assert np.abs(back.values - some(6).values).max() <= 0.5e-5 + 1e-7
    assert back.classes.tolist() == [0, 1, 2, 3, 4, 0]
    assert len(path.read_text().splitlines()[0].split(",")) == 188


def test_a_file_written_in_kaggles_own_notation_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    values = ["1.000000000000000000e+00", *["2.5e-01"] * 186, "3.000000000000000000e+00"]
    path.write_text(",".join(values) + "\n")
    back = rows.read_csv(path)
    assert back.classes.tolist() == [3]
    assert back.values[0, 1] == 0.25


def put(lines: list[str], row: int, column: int, text: str) -> None:
    parts = lines[row - 1].split(",")
    parts[column - 1] = text
    lines[row - 1] = ",".join(parts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: put(lines, 3, 17, "nan"), "row 3, column 17: nan is not a finite number"),
        (lambda lines: put(lines, 4, 2, ""), "row 4, column 2: '' is not a number"),
        (lambda lines: put(lines, 2, 188, "7.0"), "row 2, column 188: the label is 7, allowed are 0 to 4"),
        (lambda lines: put(lines, 2, 188, "1.5"), "row 2, column 188: the label is 1.5"),
        (lambda lines: put(lines, 5, 9, "inf"), "row 5, column 9: inf is not a finite number"),
        (lambda lines: put(lines, 6, 1, "high"), "row 6, column 1: 'high' is not a number"),
        (lambda lines: lines.insert(0, ",".join(f"s{i}" for i in range(188))), "row 1, column 1: 's0' is not a number"),
        (lambda lines: lines.__setitem__(2, "1,2,3"), "row 3 has 3 columns, needed are 188"),
        (lambda lines: lines.__setitem__(0, "1,2,3"), "row 1 has 3 columns, needed are 188"),
        (lambda lines: lines.__setitem__(4, lines[4] + ",0.5"), "row 5 has 189 columns, needed are 188"),
        (lambda lines: lines.clear(), "holds no rows"),
    ],
)
def test_what_cannot_be_used_is_named_by_row_and_column(change: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        rows.read_csv(written(tmp_path, change))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:300] + b"\xff\xfe\x00" + path.read_bytes()[300:])
    with pytest.raises(UserError, match=r"row 1"):
        rows.read_csv(path)


def test_a_file_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="prepare --kaggle` rebuilds it"):
        rows.read_csv(tmp_path / "none.csv")


def test_a_class_without_rows_is_named() -> None:
    whole = some()
    with pytest.raises(UserError, match=r"the file has no rows of class F \(label 3\):"):
        rows.demand_classes(whole.take(np.flatnonzero(whole.classes != 3)), "the file")


def test_a_row_starts_at_its_r_peak_and_is_scaled_and_padded(pieces: list[Record]) -> None:
    record = pieces[0]
    notes = record.annotations
    assert notes is not None
    found = rows.rows_of(record)
    assert len(found) == len(notes.index) - 1
    assert found.values.min() == 0
    assert np.allclose(found.values.max(axis=1), 1)
    lengths = ROW_LENGTH - (found.values[:, ::-1] != 0).argmax(axis=1)
    median = np.median(np.diff(notes.index)) * 125 / record.rate
    assert 0.8 * 1.2 * median < np.median(lengths) < 1.2 * 1.2 * median
    assert found.classes.tolist() == [{"N": 0, "A": 1, "V": 2}[s] for s in notes.symbol[:-1]]


def test_missing_samples_hold_the_last_value_and_do_not_press_the_row_flat(pieces: list[Record]) -> None:
    record = pieces[0]
    notes = record.annotations
    assert notes is not None
    peak, lead = int(notes.index[5]), pick_lead(record.leads)
    gone = slice(peak + 40, peak + 70)
    missing, held = record.samples.copy(), record.samples.copy()
    missing[gone, lead] = MISSING
    held[gone, lead] = held[peak + 39, lead]
    found = rows.rows_of(replace(record, samples=missing))
    assert np.array_equal(found.values, rows.rows_of(replace(record, samples=held)).values)
    raw = missing[:, lead].astype(np.float64)
    assert np.ptp(raw[peak : peak + 100]) > 30 * np.ptp(held[peak : peak + 100, lead])
    assert np.median(found.values[5]) < 0.8


def test_a_record_of_two_beats_gives_one_row(pieces: list[Record]) -> None:
    record = replace(pieces[0], annotations=fake([400, 700], ["N", "V"]))
    found = rows.rows_of(record)
    assert found.classes.tolist() == [0]
    assert np.count_nonzero(found.values[0]) >= 120


def test_the_split_takes_a_fifth_of_each_class_and_loses_none() -> None:
    whole = some(500)
    train, test = rows.split(whole)
    assert test.counts.tolist() == [20] * 5
    assert (train.counts + test.counts).tolist() == whole.counts.tolist()
    together = np.concatenate((train.values, test.values))
    assert len(np.unique(together, axis=0)) == 500


def test_the_records_give_as_many_rows_of_each_class_as_kaggles_files_hold(records: list[str]) -> None:
    found = rows.join([rows.rows_of(library.read(name)) for name in records])
    assert len(records) == len(aami.ALL)
    train, test = rows.split(found)
    assert train.counts.tolist() == [72471, 2223, 5788, 641, 6431]
    assert test.counts.tolist() == [18118, 556, 1448, 162, 1608]
