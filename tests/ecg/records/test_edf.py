"""EDF and BDF files, written and read back by the package and by us."""

from __future__ import annotations

from pathlib import Path

import edfio
import numpy as np
import pytest
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records import edf


def beats(rate: int, seconds: int = 8) -> NDArray[np.float64]:
    """Something like an ECG in mV: float64 [rate * seconds]."""
    t = np.arange(rate * seconds)
    return np.where(t % rate < rate // 25, 1.2, 0.0) + 0.1 * np.sin(t / rate)


def signals() -> list[edfio.EdfSignal]:
    """A pressure, then II in uV, and breath at a quarter of its rate."""
    return [
        edfio.EdfSignal(90 + 30 * beats(125), 125, label="ABP", physical_dimension="mmHg"),
        edfio.EdfSignal(1000 * beats(500), 500, label="ECG II", physical_dimension="uV"),
        edfio.EdfSignal(beats(125), 125, label="Resp", physical_dimension="Ohm"),
    ]


def test_an_edf_file_is_read_as_the_package_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "night.edf"
    edfio.Edf(signals()).write(file)
    record, package = edf.read(file), edfio.read_edf(file)
    assert (record.name, record.rate, record.units, record.source) == ("night", 500, ("mmHg", "mV", "Ohm"), "edf")
    assert record.leads[record.best_lead()] == "ECG II"
    assert np.allclose(record.millivolts(1), package.signals[1].data / 1000, atol=1e-4)
    for column in (0, 2):
        assert np.allclose(record.millivolts(column)[::4], package.signals[column].data, atol=2e-3)
    assert record.annotations is None


def test_a_greek_microvolt_in_edf_is_one(tmp_path: Path) -> None:
    file = tmp_path / "x.edf"
    edfio.Edf(signals()).write(file)
    file.write_bytes(file.read_bytes().replace(b"uV      ", "µV".encode("latin-1") + b"      "))
    assert edf.read(file).units == ("mmHg", "mV", "Ohm")


def test_annotations_of_edf_that_name_beats_are_truth(tmp_path: Path) -> None:
    notes = [(0.5, None, "(AFIB"), (1.25, None, "N"), (2.0, None, "V"), (3.0, 1.0, "turned over")]
    file = tmp_path / "x.edf"
    edfio.Edf(signals(), annotations=[edfio.EdfAnnotation(*note) for note in notes]).write(file)
    found = edf.read(file).annotations
    assert found is not None
    assert (found.index.tolist(), found.symbol.tolist()) == ([250, 625, 1000], ["+", "N", "V"])
    assert found.rhythm.tolist() == ["(AFIB"] * 3


def test_a_bdf_file_of_24_bits_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.bdf"
    volts = 1000 * beats(500) + 30_000
    one = edfio.BdfSignal(volts, 500, label="II", physical_dimension="uV", physical_range=(-262_144, 262_143))
    edfio.Bdf([one]).write(file)
    assert np.allclose(edf.read(file).millivolts(0), volts / 1000, atol=2e-3)


def test_an_edf_file_with_gaps_or_without_its_end_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "x.edf"
    edfio.Edf(signals(), annotations=[edfio.EdfAnnotation(1, None, "N")]).write(file)
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"EDF+C", b"EDF+D"))
    with pytest.raises(UserError, match=r"x.edf has gaps \(EDF\+D\)"):
        edf.read(file)
    file.write_bytes(whole[:-100])
    with pytest.raises(UserError, match=r"x.edf ends before its last sample"):
        edf.read(file)
    for junk in (b"", b"junk" * 100, whole[:200]):
        file.write_bytes(junk)
        with pytest.raises(UserError, match=r"x.edf cannot be read as EDF"):
            edf.read(file)
