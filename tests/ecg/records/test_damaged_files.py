"""Files with a few other bytes are read, or refused in one sentence; nothing else ever happens."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import edfio
import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.errors import UserError
from ecg.records.opening import open_records

SIGNAL = np.where(np.arange(1000) % 200 < 10, 1.1, 0.0) + 0.1 * np.sin(np.arange(1000) / 17)
ODD = [
    b"",
    b"0",
    b"-1",
    b"1e9",
    b"999999999999",
    b"nan",
    b"/",
    b"x4",
    b"~",
    b"\xb5V",
    b":3",
    b"+9",
    b"\n",
    b",",
    b"\x00",
]


@functools.cache
def whole() -> dict[str, bytes]:
    """Files of every kind, by name."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wfdb.wrsamp("r", 250, ["mV"], ["II"], p_signal=SIGNAL[:, None], fmt=["212"], write_dir=made)
        wfdb.wrann("r", "atr", np.array([10, 300]), ["+", "V"], aux_note=["(N", ""], write_dir=made)
        (folder / "m.hea").write_text("m/3 1 250 2050\nr 1000\n~ 50\nr 1000\n")
        edfio.Edf([edfio.EdfSignal(SIGNAL, 250, label="II", physical_dimension="mV")]).write(folder / "e.edf")
        rows = "\n".join(f"{row / 250},{value:.3f}" for row, value in enumerate(SIGNAL[:300]))
        (folder / "c.csv").write_text(f"time,II (mV)\n{rows}")
        return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=80)
@given(st.sampled_from(["r.hea", "r.atr", "r.dat", "m.hea", "e.edf", "c.csv"]), st.data())
def test_a_damaged_file_is_read_or_refused_in_one_sentence(name: str, data: st.DataObject) -> None:
    content = bytearray(whole()[name])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(content), 512)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from(ODD) | st.binary(max_size=2))
    with tempfile.TemporaryDirectory() as folder:
        for other, kept in whole().items():
            (Path(folder) / other).write_bytes(content if other == name else kept)
        try:
            records = open_records(Path(folder) / name.replace(".atr", ".hea"))
        except UserError as error:
            if "\n" in str(error):
                pytest.fail(f"more than one line: {error}")
        else:
            assert all(len(record.samples) and record.rate >= 100 for record in records)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "n.hea",
            "n 999999999\nr.dat 16 200 16 0 0 0 0 V1\n",
            "999999999 signals and describes 1",
        ),  # found by bench fuzz
        ("g.hea", "g/2 1 250 268435455\nr 1000\n~ 268434455\n", "268435455 samples with its gaps, 1000 without"),
        ("s.hea", "s/1 1 250 200000000\nr 200000000\n", "length of II change in its segments"),
        ("f.csv", "T,\n0,\n66\n66666666666666\n", "row 3 comes"),  # found by bench fuzz
        ("t.csv", "time,II (mV)\n0,1\n0.004,2\n0.008,1\n1000000,2\n", "row 4 comes 1e\\+06 s after the one before it"),
    ],
)
def test_a_few_bytes_take_no_memory_by_their_gaps(tmp_path: Path, name: str, content: str, said: str) -> None:
    for file in ("r.hea", "r.dat"):
        (tmp_path / file).write_bytes(whole()[file])
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=said):
        open_records(tmp_path / name)
