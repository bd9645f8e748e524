"""WFDB files read and written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb as package

from ecg.errors import UserError
from ecg.records import library, wfdb
from ecg.records.record import MISSING, Annotations, Record
from tests.support.wfdb_files import write_record


def test_a_record_written_by_another_program_is_read_as_it_was_meant(tmp_path: Path) -> None:
    signal = write_record(tmp_path, "abc")
    record = library.read("abc", tmp_path)
    assert record.leads == ("V5", "MLII")
    assert record.rate == 250
    assert np.allclose(record.millivolts(1), signal[:, 1], atol=1e-3)
    assert record.annotations is not None
    assert record.annotations.symbol.tolist() == ["+", "N", "V"]
    assert record.annotations.rhythm.tolist() == ["(AFIB"] * 3


@pytest.mark.parametrize(("kind", "content"), [("hea", b"abc two 250"), ("hea", b""), ("dat", b"\x00\x01")])
def test_a_broken_record_is_one_sentence(tmp_path: Path, kind: str, content: bytes) -> None:
    write_record(tmp_path, "abc")
    (tmp_path / f"abc.{kind}").write_bytes(content)
    with pytest.raises(UserError, match="abc cannot be read"):
        library.read("abc", tmp_path)


def excerpt(**changes: object) -> Record:
    """Ten seconds of the excerpt with three annotations, changed as told."""
    whole = library.read("excerpt")
    notes = Annotations(np.array([5, 90, 2000]), np.array(["+", "N", "V"]), np.array(["(AFIB", "(AFIB", "(AFIB"]))
    return replace(whole, name="mine", samples=whole.samples[:3600].copy(), annotations=notes, **changes)  # type: ignore[arg-type]


def test_a_record_written_is_read_back_the_same(tmp_path: Path) -> None:
    record = excerpt(rate=360.0)
    record.samples[100:140] = MISSING
    wfdb.write(record, tmp_path / "new" / "folder")
    back = library.read("mine", tmp_path / "new" / "folder")
    assert np.array_equal(back.samples, record.samples)
    assert (back.rate, back.leads, back.gain.tolist(), back.baseline.tolist()) == (360.0, ("MLII",), [200.0], [1024.0])
    assert back.annotations is not None
    assert record.annotations is not None
    for name in ("index", "symbol", "rhythm"):
        assert getattr(back.annotations, name).tolist() == getattr(record.annotations, name).tolist()


def test_a_real_record_written_is_read_by_another_program(tmp_path: Path, records: list[str]) -> None:
    record = library.read(records[0])
    wfdb.write(record, tmp_path)
    assert np.array_equal(package.rdrecord(str(tmp_path / record.name), physical=False).d_signal, record.samples)
    found = package.rdann(str(tmp_path / record.name), "atr")
    assert record.annotations is not None
    assert found.sample.tolist() == record.annotations.index.tolist()
    assert found.symbol == record.annotations.symbol.tolist()


def test_a_record_without_annotations_leaves_no_old_ones_beside_it(tmp_path: Path) -> None:
    wfdb.write(excerpt(), tmp_path)
    wfdb.write(replace(excerpt(), annotations=None), tmp_path)
    assert library.read("mine", tmp_path).annotations is None


@pytest.mark.parametrize(("name", "folder"), [("mine", "file"), ("no/name", "place")])
def test_a_record_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str, folder: str) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=f"record {name} cannot be written to"):
        wfdb.write(replace(excerpt(), name=name), tmp_path / folder)


@pytest.mark.parametrize("begun", ["10:11:12 2014-04-15", "10:11:12.5 15/04/2014", "2014-04-15", "10:11:12 15.04.2014"])
def test_a_header_with_any_date_is_read(tmp_path: Path, begun: str) -> None:
    signal = write_record(tmp_path, "abc")
    header = tmp_path / "abc.hea"
    first, *others = header.read_text().splitlines()
    header.write_text("\n".join([f"{first} {begun}", *others]) + "\n")
    record = library.read("abc", tmp_path)
    assert np.allclose(record.millivolts(1), signal[:, 1], atol=1e-3)
    assert record.annotations is not None


def test_a_matlab_signal_file_is_read(tmp_path: Path) -> None:
    """As the PhysioNet challenges publish them: 24 bytes, then 16-bit samples."""
    samples = np.arange(2000, dtype="<i2").reshape(1000, 2)
    (tmp_path / "m.mat").write_bytes(bytes(24) + samples.tobytes())
    (tmp_path / "m.hea").write_text(
        "m 2 250 1000 00:00:00 2014-04-15\nm.mat 16+24 200/mV 16 0 0 0 0 II\nm.mat 16+24 100/NU 16 0 0 0 0 PLETH\n"
    )
    record = library.read("m", tmp_path)
    assert (record.leads, record.gain.tolist()) == (("II", "PLETH"), [200.0, 100.0])
    assert np.array_equal(record.samples, samples)
