"""Records by the place of their files."""

from __future__ import annotations

from pathlib import Path

import edfio
import numpy as np
import pandas
import pytest

from ecg.errors import UserError
from ecg.records.opening import open_records
from tests.support.wfdb_files import write_record


def write_edf(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    edfio.Edf([edfio.EdfSignal(np.sin(np.arange(1000) / 9), 250, label="II", physical_dimension="mV")]).write(file)


def write_csv(file: Path) -> None:
    pandas.DataFrame({"time": np.arange(500) / 250, "II": np.sin(np.arange(500) / 9)}).to_csv(file, index=False)


@pytest.mark.parametrize("name", ["abc", "abc.hea", "abc.dat"])
def test_a_wfdb_record_is_opened_by_any_of_its_files(tmp_path: Path, name: str) -> None:
    write_record(tmp_path, "abc")
    (record,) = open_records(tmp_path / name)
    assert (record.name, record.source) == ("abc", "wfdb")
    assert record.annotations is not None


def test_a_folder_is_all_that_is_in_it(tmp_path: Path) -> None:
    write_record(tmp_path / "p1", "abc")
    write_edf(tmp_path / "p2" / "night.EDF")
    write_edf(tmp_path / ".trash" / "old.edf")
    write_csv(tmp_path / "about.csv")
    assert [record.name for record in open_records(tmp_path)] == ["p1/abc", "p2/night"]


def test_a_folder_of_tables_alone_is_its_tables(tmp_path: Path) -> None:
    write_csv(tmp_path / "b.csv")
    write_csv(tmp_path / "a.csv")
    assert [record.name for record in open_records(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no.edf", "there is no file"),
        ("x.pdf", "of no kind that is read: give one of .hea, .edf"),
        ("", "holds no records"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "x.pdf").write_text("x")
    with pytest.raises(UserError, match=said):
        open_records(tmp_path / name)


def test_one_record_of_a_folder_that_cannot_be_read_keeps_no_other_back(tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf")
    (tmp_path / "b.edf").write_bytes(b"junk")
    refused: list[str] = []
    assert [record.name for record in open_records(tmp_path, refused=refused)] == ["a"]
    (sentence,) = refused
    assert "b.edf cannot be read as EDF" in sentence
    with pytest.raises(UserError, match=r"b.edf cannot be read as EDF"):
        open_records(tmp_path)
    (tmp_path / "a.edf").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"none of 2 records can be read; the first: .*a.edf"):
        open_records(tmp_path, refused=refused)
