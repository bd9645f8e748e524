"""Whatever a WFDB record is made of, it is read as the package reads it, or refused in one sentence.

One test for each row of docs/formats.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Record

FORMATS = ["16", "24", "32", "80", "212", "508", "516", "524"]
LENGTH = 1000


def wave(length: int = LENGTH, leads: int = 2) -> NDArray[np.float64]:
    """Something like beats in mV, with edges and another size in every lead: float64 [length, leads]."""
    t = np.arange(length)[:, None]
    beats = np.where(t % 200 < 10, 1.1, 0.0) + 0.1 * np.sin(t / 17)
    return np.round(beats * np.linspace(1.0, 0.5, leads), 4)


def written(folder: Path, name: str = "r", rate: float = 250, **given: Any) -> Path:
    """A record as the package writes it; by default two leads in mV in format 16."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = given.pop("p_signal", None)
    if signal is None and "d_signal" not in given and "e_d_signal" not in given:
        signal = wave()
    leads = signal.shape[1] if signal is not None else len(given["sig_name"])
    names = given.pop("sig_name", ["MLII", "V1"][:leads])
    units = given.pop("units", ["mV"] * leads)
    fmt = given.pop("fmt", ["16"] * leads)
    wfdb.wrsamp(name, rate, units, names, p_signal=signal, fmt=fmt, write_dir=str(folder), **given)
    return folder / name


def same(record: Record, package: Any, scale: float = 1.0, atol: float = 1e-4) -> None:
    """Has the record the package's own physical values, times `scale`, and its lead names? NaN: no sample."""
    assert record.leads == tuple(package.sig_name)
    for column in range(len(record.leads)):
        expected = package.p_signal[:, column] * scale
        there = np.isfinite(expected)
        assert (record.samples[:, column] != -32768).tolist() == there.tolist()
        assert np.allclose(record.millivolts(column)[there], expected[there], atol=atol)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read_as_the_package_reads_it(tmp_path: Path, form: str) -> None:
    signal = wave()
    signal[300:320, 0] = np.nan
    path = written(tmp_path, p_signal=signal, fmt=[form] * 2)
    same(library.read("r", tmp_path), wfdb.rdrecord(str(path)), atol=2e-4)


def packed(digital: NDArray[np.int64], form: str) -> bytes:
    """Samples in the formats that the package reads but does not write."""
    flat = digital.reshape(-1)
    if form == "61":
        return flat.astype(">i2").tobytes()
    if form == "160":
        return (flat + 32768).astype("<u2").tobytes()
    one, two, three = (flat & 0x3FF).reshape(-1, 3).T
    if form == "311":
        return (one | two << 10 | three << 20).astype("<u4").tobytes()
    words = np.stack((one << 1 | (three & 0x1F) << 11, two << 1 | (three >> 5) << 11), axis=1)
    return words.astype("<u2").tobytes()


@pytest.mark.parametrize("form", ["61", "160", "310", "311"])
def test_formats_that_the_package_only_reads_are_read_alike(tmp_path: Path, form: str) -> None:
    digital = np.rint(wave(1200) * 200).astype(np.int64)
    digital[300:320, 0] = -512 if form in ("310", "311") else -32768
    (tmp_path / "r.dat").write_bytes(packed(digital, form))
    (tmp_path / "r.hea").write_text(f"r 2 250 1200\nr.dat {form} 200 16 0 0 0 0 MLII\nr.dat {form} 200 16 0 0 0 0 V1\n")
    package = wfdb.rdrecord(str(tmp_path / "r"))
    assert np.nanmax(np.abs(package.p_signal - np.where(digital < -500, np.nan, digital / 200))) == 0
    same(library.read("r", tmp_path), package)


@pytest.mark.parametrize(("unit", "size"), [("uV", 1e-3), ("V", 1e3), ("nV", 1e-6), ("mV", 1.0)])
def test_every_unit_of_voltage_becomes_millivolts(tmp_path: Path, unit: str, size: float) -> None:
    path = written(tmp_path, p_signal=wave() / size, units=[unit] * 2)
    record = library.read("r", tmp_path)
    assert record.units == ()
    same(record, wfdb.rdrecord(str(path)), scale=size)


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
def test_a_greek_microvolt_is_one(tmp_path: Path, coding: str) -> None:
    path = written(tmp_path, p_signal=wave() * 1e3, units=["uV"] * 2)
    package = wfdb.rdrecord(str(path))
    header = path.with_suffix(".hea")
    header.write_bytes(header.read_text().replace("/uV", "/µV").encode(coding))
    same(library.read("r", tmp_path), package, scale=1e-3)


def test_a_pressure_before_the_ecg_keeps_its_unit_and_is_not_analysed(tmp_path: Path) -> None:
    signal = np.column_stack((90 + 30 * wave()[:, 0], wave()[:, 0]))
    path = written(tmp_path, p_signal=signal, units=["mmHg", "mV"], sig_name=["ABP", "II"])
    record = library.read("r", tmp_path)
    assert (record.units, record.best_lead()) == (("mmHg", "mV"), 1)
    same(record, wfdb.rdrecord(str(path)), atol=0.01)


def test_a_negative_gain_turns_the_signal_over(tmp_path: Path) -> None:
    path = written(tmp_path)
    header = path.with_suffix(".hea")
    header.write_text(header.read_text().replace("16 2", "16 -2").replace("16 1", "16 -1").replace("16 4", "16 -4"))
    package = wfdb.rdrecord(str(path))
    assert min(package.adc_gain) < 0 or pytest.fail("the gain was not turned over")
    same(library.read("r", tmp_path), package)


def test_a_gain_of_nothing_is_200(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_bytes((wave() * 200).astype("<i2").tobytes())
    (tmp_path / "r.hea").write_text(f"r 2 250 {LENGTH}\nr.dat 16 0 16 0 0 0 0 MLII\nr.dat 16\n")
    package = wfdb.rdrecord(str(tmp_path / "r"))
    package.sig_name[1] = "signal 2"
    same(library.read("r", tmp_path), package)


def test_samples_of_24_bits_about_a_large_offset_keep_their_shape(tmp_path: Path) -> None:
    digital = np.rint(wave() * 4000 + 3_000_000).astype(np.int64)
    path = written(
        tmp_path,
        sig_name=["I", "II"],
        d_signal=digital,
        fmt=["24"] * 2,
        adc_gain=[4000.0] * 2,
        baseline=[3_000_000] * 2,
    )
    same(library.read("r", tmp_path), wfdb.rdrecord(str(path)))


def test_samples_of_32_bits_are_rounded_to_16(tmp_path: Path) -> None:
    digital = np.rint(wave() * 1e6).astype(np.int64)
    path = written(
        tmp_path, sig_name=["I", "II"], d_signal=digital, fmt=["32"] * 2, adc_gain=[1e6] * 2, baseline=[0] * 2
    )
    same(library.read("r", tmp_path), wfdb.rdrecord(str(path)))


def test_a_lead_that_16_bits_would_coarsen_is_refused(tmp_path: Path) -> None:
    digital = np.rint(wave() * 1000).astype(np.int64)
    digital[5] = 1 << 27
    written(tmp_path, sig_name=["I", "II"], d_signal=digital, fmt=["32"] * 2, adc_gain=[1e3] * 2, baseline=[0] * 2)
    with pytest.raises(UserError, match=r"r cannot be used: lead I reaches over so many mV that 16 bits show steps of"):
        library.read("r", tmp_path)


def test_frames_of_several_samples_give_the_rate_of_the_ecg(tmp_path: Path) -> None:
    """ECG with 4 samples in a frame of 62.5 Hz, the pressure with 2, the breath with 1."""
    frames, lead = 250, wave()[:, 0]
    digital = [np.rint(lead * 1000), np.rint(60 * lead[::2]), np.rint(100 * lead[::4])]
    path = written(
        tmp_path,
        rate=62.5,
        sig_name=["II", "ABP", "RESP"],
        units=["mV", "mmHg", "Ohm"],
        fmt=["16"] * 3,
        e_d_signal=[part.astype(np.int64) for part in digital],
        samps_per_frame=[4, 2, 1],
        adc_gain=[1000.0, 1.0, 100.0],
        baseline=[0, 0, 0],
    )
    wfdb.wrann("r", "atr", np.array([10, 200]), ["N", "V"], write_dir=str(tmp_path))
    package = wfdb.rdrecord(str(path), smooth_frames=False)
    record = library.read("r", tmp_path)
    assert (record.rate, record.units, len(record.samples)) == (250.0, ("mV", "mmHg", "Ohm"), frames * 4)
    for column, step in enumerate((1, 2, 4)):
        own = record.millivolts(column)[::step]
        assert np.allclose(own, package.e_p_signal[column], atol=1e-3)
    assert record.annotations is not None
    assert record.annotations.index.tolist() == [40, 800]  # annotated in frames


def test_annotations_with_a_clock_of_their_own_are_put_in_their_places(tmp_path: Path) -> None:
    written(tmp_path)
    wfdb.wrann("r", "atr", np.array([100, 1000]), ["N", "V"], fs=1000, write_dir=str(tmp_path))
    notes = library.read("r", tmp_path).annotations
    assert notes is not None and notes.index.tolist() == [25, 250]


def segments(folder: Path, master: str, parts: dict[str, NDArray[np.float64]], **given: Any) -> None:
    """Segments as records of their own, and the header that lists them."""
    for name, signal in parts.items():
        written(folder, name, p_signal=signal, **given)
    (folder / "r.hea").write_text(master)


def test_segments_are_put_together(tmp_path: Path) -> None:
    segments(tmp_path, f"r/2 2 250 {2 * LENGTH}\na {LENGTH}\nb {LENGTH}\n", {"a": wave(), "b": 2 * wave()})
    same(library.read("r", tmp_path), wfdb.rdrecord(str(tmp_path / "r")), atol=2e-4)


def test_a_gap_between_segments_is_a_gap(tmp_path: Path) -> None:
    segments(tmp_path, f"r/3 2 250 {2 * LENGTH + 50}\na {LENGTH}\n~ 50\nb {LENGTH}\n", {"a": wave(), "b": 2 * wave()})
    record = library.read("r", tmp_path)
    assert np.flatnonzero((record.samples == -32768).all(axis=1)).tolist() == list(range(LENGTH, LENGTH + 50))
    for at, name in ((0, "a"), (LENGTH + 50, "b")):
        package = wfdb.rdrecord(str(tmp_path / name)).p_signal
        assert np.allclose(record.millivolts(0)[at : at + LENGTH], package[:, 0], atol=2e-4)


def test_signals_that_come_and_go_are_read_by_name(tmp_path: Path) -> None:
    """Variable layout: the first segment lists the signals, a later one has some of them, in another order."""
    written(tmp_path, "a", p_signal=wave(leads=1), sig_name=["V1"])
    written(tmp_path, "b", p_signal=wave(), sig_name=["V1", "MLII"])
    (tmp_path / "lay.hea").write_text("lay 2 250 0\n~ 0 200/mV 16 0 0 0 0 MLII\n~ 0 200/mV 16 0 0 0 0 V1\n")
    (tmp_path / "r.hea").write_text(f"r/4 2 250 {2 * LENGTH + 30}\nlay 0\na {LENGTH}\n~ 30\nb {LENGTH}\n")
    same(library.read("r", tmp_path), wfdb.rdrecord(str(tmp_path / "r")), atol=2e-4)


def test_a_record_faster_than_a_wave_may_be_is_slowed_down(tmp_path: Path) -> None:
    t = np.arange(40_000) / 20_000
    written(tmp_path, rate=20_000, p_signal=np.sin(2 * np.pi * 5 * t)[:, None], sig_name=["II"])
    wfdb.wrann("r", "atr", np.array([10_000]), ["V"], write_dir=str(tmp_path))
    record = library.read("r", tmp_path)
    assert (record.rate, len(record.samples)) == (1000.0, 2000)
    inner = slice(50, -50)
    assert np.allclose(record.millivolts(0)[inner], np.sin(2 * np.pi * 5 * t[::20])[inner], atol=2e-3)
    assert record.annotations is not None and record.annotations.index.tolist() == [500]


def test_a_record_slower_than_100_hz_is_refused(tmp_path: Path) -> None:
    written(tmp_path, rate=50)
    with pytest.raises(UserError, match=r"r cannot be used: .* at 50 Hz \(needed: 100 Hz or more\)"):
        library.read("r", tmp_path)


@pytest.mark.parametrize(("factor", "said"), [(1000, r"1\d\d\d mV tall.*uV written as mV"), (1e-3, "V written as mV")])
def test_an_absurd_amplitude_is_one_sentence(tmp_path: Path, factor: float, said: str) -> None:
    written(tmp_path, p_signal=wave() * factor)
    with pytest.raises(UserError, match=rf"r cannot be used: lead MLII is .* which no heart is; .*{said}|{said}"):
        library.read("r", tmp_path)


def test_a_lead_that_is_off_all_the_time_is_no_absurd_amplitude(tmp_path: Path) -> None:
    digital = np.rint(wave() * 200).astype(np.int64)
    digital[:, 0] = -32768
    written(tmp_path, sig_name=["MLII", "V1"], d_signal=digital, adc_gain=[200.0] * 2, baseline=[0] * 2)
    assert library.read("r", tmp_path).best_lead() == 1


def test_another_annotator_is_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    wfdb.wrann("r", "qrs", np.array([7, 90]), ["N", "N"], write_dir=str(tmp_path))
    assert library.read("r", tmp_path).annotations is None
    notes = library.read("r", tmp_path, "qrs").annotations
    package = wfdb.rdann(str(path), "qrs")
    assert notes is not None
    assert (notes.index.tolist(), notes.symbol.tolist()) == (package.sample.tolist(), package.symbol)


def test_folders_within_are_searched_and_what_is_no_record_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "p1", "x")
    written(tmp_path / "p2", "x")
    for copy in (tmp_path / "p1" / "._x.hea", tmp_path / ".cache" / "y.hea"):
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(b"\x00\x05\x16\x07")
    segments(tmp_path, f"r/1 2 250 {LENGTH}\na {LENGTH}\n", {"a": wave()})
    assert library.find("all", tmp_path) == ["p1/x", "p2/x", "r"]
    assert library.read("p2/x", tmp_path).name == "p2/x"
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    assert library.find("all") == ["p1/x", "p2/x", "r"]
    assert library.find("a") == ["a"]


def test_all_in_a_folder_with_records_of_mit_bih_is_mit_bih(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "100")
    written(tmp_path, "mine")
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    assert len(library.find("all")) == 48


@pytest.mark.parametrize(
    "header",
    [
        "r 0 250 1000\n",
        "r 1 0 1000\nr.dat 16\n",
        "r 1 1e9 1000\nr.dat 16\n",
        f"r/2 2 250 {10**12}\n~ {10**12}\nr 9\n",
        f"r/1 2 250 {LENGTH}\nr {LENGTH}\n",
        f"r/2 2 250 {LENGTH}\n~ 10\n~ 990\n",
        "r/1 2 250\n",
    ],
)
def test_a_header_that_leads_nowhere_is_one_sentence(tmp_path: Path, header: str) -> None:
    written(tmp_path)
    (tmp_path / "r.hea").write_text(header)
    with pytest.raises(UserError, match=r"r cannot be (read|used): ") as refused:
        library.read("r", tmp_path)
    assert "\n" not in str(refused.value)


def test_every_row_of_the_page_has_its_test() -> None:
    page = (Path(__file__).parents[3] / "docs/formats.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|") and not line.startswith(("|---", "| a "))]
    named = [re.findall(r"`(\w+)` \|$", row) for row in rows]
    files = [
        *Path(__file__).parent.glob("test_*.py"),
        Path(__file__).parents[2] / "producer/sources/test_live_source.py",
    ]
    here = "".join(file.read_text(encoding="utf-8") for file in files)
    assert rows and all(named)
    assert not [name for (name,) in named if f"def test_{name}(" not in here]


@pytest.mark.parametrize(
    ("first", "signal"),
    [("r 1 360 100", "16x999999999"), ("r 1 360 100", "16:999999999"), ("r 1 360 99999999999", "16")],
    ids=["in a frame", "skew", "length"],
)
def test_a_header_that_states_more_than_its_file_can_hold_takes_no_memory(
    first: str, signal: str, tmp_path: Path
) -> None:
    (tmp_path / "r.dat").write_bytes(bytes(400))
    (tmp_path / "r.hea").write_text(f"{first}\nr.dat {signal} 200 16 0 0 0 0 MLII\n")
    with pytest.raises(UserError, match=r"its header states [0-9]+ samples, its files hold fewer"):
        library.read("r", tmp_path)
