"""XDF files as Lab Streaming Layer records them, written here chunk by chunk."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records import xdf
from ecg.records.record import MISSING

RATE = 250
SIGNAL = np.where(np.arange(2000) % 200 < 10, 1.1, 0.0) + 0.1 * np.sin(np.arange(2000) / 17)
HEADER = (
    "<?xml version='1.0'?><info><name>{name}</name><type>{kind}</type><channel_count>{count}</channel_count>"
    "<nominal_srate>{rate}</nominal_srate><channel_format>{form}</channel_format><desc><channels>{channels}</channels>"
    "</desc></info>"
)


def chunk(tag: int, content: bytes) -> bytes:
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def numbers(at: int, leads: dict[str, str], values: NDArray[np.float64], times: NDArray[np.float64]) -> bytes:
    """A stream of numbers: its header, and every sample with its time. leads: units by name."""
    channels = "".join(f"<channel><label>{n}</label><unit>{u}</unit></channel>" for n, u in leads.items())
    head = HEADER.format(name="amp", kind="ECG", count=len(leads), rate=RATE, form="double64", channels=channels)
    rows = b"".join(
        b"\x08" + struct.pack("<d", t) + row.astype("<f8").tobytes() for t, row in zip(times, values, strict=True)
    )
    samples = struct.pack("<I", at) + b"\x04" + struct.pack("<I", len(values)) + rows
    return chunk(2, struct.pack("<I", at) + head.encode()) + chunk(3, samples)


def markers(at: int, marks: list[tuple[float, str]]) -> bytes:
    head = HEADER.format(name="marks", kind="Markers", count=1, rate=0, form="string", channels="")
    rows = b"".join(b"\x08" + struct.pack("<d", t) + b"\x01" + bytes([len(text)]) + text.encode() for t, text in marks)
    samples = struct.pack("<I", at) + b"\x04" + struct.pack("<I", len(marks)) + rows
    return chunk(2, struct.pack("<I", at) + head.encode()) + chunk(3, samples)


def write(file: Path, *streams: bytes) -> Path:
    file.write_bytes(
        b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>") + b"".join(streams)
    )
    return file


def test_an_xdf_file_is_read_as_the_package_reads_it(tmp_path: Path) -> None:
    times = 100 + np.arange(2000) / RATE
    two = np.column_stack((80 + 30 * SIGNAL, 1000 * SIGNAL))
    marks = [(100.5, "(AFIB"), (101.0, "N"), (102.0, "V"), (103.0, "stood up")]
    other = numbers(1, {"ACC X": "g"}, SIGNAL[:, None], times)
    ecg = numbers(2, {"ABP": "mmHg", "ECG II": "microvolts"}, two, times)
    file = write(tmp_path / "s.xdf", other, ecg, markers(3, marks))
    record = xdf.read(file)
    streams, _ = pyxdf.load_xdf(str(file))
    (package,) = [one for one in streams if one["info"]["stream_id"] == 2]
    assert (record.rate, record.leads, record.units, record.source) == (250, ("ABP", "ECG II"), ("mmHg", "mV"), "xdf")
    assert np.allclose(record.millivolts(1), package["time_series"][:, 1] / 1000, atol=1e-4)
    assert record.annotations is not None
    assert record.annotations.index.tolist() == [125, 250, 500]
    assert record.annotations.symbol.tolist() == ["+", "N", "V"]


def test_samples_that_a_device_lost_are_missing(tmp_path: Path) -> None:
    kept = np.r_[0:800, 1300:2000]
    file = write(tmp_path / "s.xdf", numbers(1, {"II": "mV"}, SIGNAL[kept, None], 5 + kept / RATE))
    record = xdf.read(file)
    gone = np.flatnonzero(record.samples[:, 0] == MISSING)
    assert len(record.samples) == 2000 and gone.tolist() == list(range(800, 1300))
    assert np.allclose(record.millivolts(0)[1300:], SIGNAL[1300:], atol=1e-4)


def test_an_xdf_file_without_ecg_or_broken_is_one_sentence(tmp_path: Path) -> None:
    times = np.arange(2000) / RATE
    file = write(tmp_path / "s.xdf", numbers(1, {"ACC X": "g"}, SIGNAL[:, None], times))
    with pytest.raises(UserError, match="holds no stream with an ECG lead"):
        xdf.read(file)
    (tmp_path / "t.xdf").write_bytes(b"not XDF")
    with pytest.raises(UserError, match="cannot be read as XDF"):
        xdf.read(tmp_path / "t.xdf")


@pytest.mark.parametrize("states", [1 << 24, 0xFFFFFFFF])
@pytest.mark.parametrize("form", ["double64", "string"])
def test_samples_that_the_file_cannot_hold_take_neither_memory_nor_time(
    tmp_path: Path, form: str, states: int
) -> None:  # found by fuzzing
    head = HEADER.format(name="amp", kind="ECG", count=1, rate=RATE, form=form, channels="")
    samples = struct.pack("<I", 1) + b"\x04" + struct.pack("<I", states) + bytes(100)
    file = write(tmp_path / "a.xdf", chunk(2, struct.pack("<I", 1) + head.encode()) + chunk(3, samples))
    tracemalloc.start()
    with pytest.raises(UserError, match="holds no stream with an ECG lead"):
        xdf.read(file)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("at", [float("nan"), float("inf"), 1e300])
def test_a_marker_at_no_time_is_left_out(tmp_path: Path, at: float) -> None:  # found by fuzzing
    ecg = numbers(1, {"II": "mV"}, SIGNAL[:, None], 100 + np.arange(2000) / RATE)
    found = xdf.read(write(tmp_path / "a.xdf", ecg, markers(2, [(101.0, "N"), (at, "V")])))
    assert found.annotations is not None and found.annotations.symbol.tolist() == ["N"]


@pytest.mark.parametrize("step", [5e-324, 1e300])
def test_times_that_are_no_clock_are_one_sentence(tmp_path: Path, step: float) -> None:  # found by fuzzing
    file = write(tmp_path / "a.xdf", numbers(1, {"II": "mV"}, SIGNAL[:, None], np.linspace(0, 1999 * step, 2000)))
    with pytest.raises(UserError, match=r"no clock of a record|cannot be used"):
        xdf.read(file)


def test_a_marker_without_text_is_none() -> None:  # found by fuzzing: a stream may state that it has no channels
    assert xdf._annotations([{"time_stamps": [1.0], "time_series": [[]]}], 0.0, RATE) is None
