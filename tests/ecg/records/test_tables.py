"""CSV and Parquet tables as records: times, units, gaps, annotations; and the sentence for what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records import tables
from ecg.records.clock import places
from ecg.records.record import MISSING

LENGTH = 1000


def beats(rate: float = 250.0, length: int = LENGTH) -> NDArray[np.float64]:
    """Something like an ECG in mV: float64 [length]."""
    t = np.arange(length)
    return np.where(t % rate < rate / 25, 1.2, 0.0) + 0.1 * np.sin(t / rate)


def table(more: dict[str, object] | None = None) -> pandas.DataFrame:
    return pandas.DataFrame({"time": np.arange(LENGTH) / 250, "II (mV)": beats(), **(more or {})})


def test_a_table_with_times_and_units_is_a_record(tmp_path: Path) -> None:
    frame = table({"ABP [mmHg]": 80 + 30 * beats(), "V1/uV": 1000 * beats()})
    frame.to_csv(tmp_path / "p.csv", index=False)
    record = tables.read(tmp_path / "p.csv")
    assert (record.rate, record.leads, record.units) == (250.0, ("II", "ABP", "V1"), ("mV", "mmHg", "mV"))
    assert (record.name, record.source, record.annotations) == ("p", "csv", None)
    assert np.allclose(record.millivolts(0), beats(), atol=1e-4)
    assert np.allclose(record.millivolts(1), 80 + 30 * beats(), atol=3e-3)
    assert np.allclose(record.millivolts(2), beats(), atol=1e-4)


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    frame = table()
    frame.to_parquet(tmp_path / "p.parquet")
    frame.set_index("time").to_parquet(tmp_path / "q.parquet")
    frame.to_csv(tmp_path / "p.csv", index=False)
    of_csv = tables.read(tmp_path / "p.csv")
    for name in "pq":
        record = tables.read(tmp_path / f"{name}.parquet")
        assert np.array_equal(record.samples, of_csv.samples)
        assert (record.rate, record.source) == (250.0, "parquet")


@pytest.mark.parametrize(
    "text",
    [
        "'Elapsed time','II'\n'seconds','mV'\n{rows}",  # rdsamp -c -v -ps
        "time;II [mV]\n{semicolons}",
        "time_s,t,II\n{three}",
        "sample,time (ms),II (mV)\n{milli}",
        "datetime,II\n{dates}",
    ],
)
def test_headings_in_many_ways(tmp_path: Path, text: str) -> None:
    values = [(row / 250, value) for row, value in enumerate(beats())]
    rows = "\n".join(f"{t:.3f},{v:.4f}" for t, v in values)
    semicolons = "\n".join(f"{t:.3f};{v:.4f}".replace(".", ",") for t, v in values)
    three = "\n".join(f"0,{t:.3f},{v:.4f}" for t, v in values)
    milli = "\n".join(f"{row},{1000 * t:.0f},{v:.4f}" for row, (t, v) in enumerate(values))
    begun = pandas.Timestamp("2024-02-29 23:59:58")
    dates = "\n".join(f"{begun + pandas.Timedelta(milliseconds=round(1000 * t))},{v:.4f}" for t, v in values)
    text = text.format(rows=rows, semicolons=semicolons, three=three, milli=milli, dates=dates)
    (tmp_path / "x.csv").write_text(text.replace("time_s", "sample"))
    record = tables.read(tmp_path / "x.csv")
    assert (record.rate, record.leads, record.units) == (250.0, ("II",), ())
    assert np.allclose(record.millivolts(0), beats(), atol=2e-4)


def test_a_column_of_adu_says_its_gain(tmp_path: Path) -> None:
    counts = np.rint(200 * beats() + 1024)
    frame = pandas.DataFrame(
        {"'sample #'": np.arange(LENGTH), "'MLII' (200 ADU/mV, 1024)": counts, "V1 (200 ADU/mV)": counts}
    )
    frame.to_csv(tmp_path / "x.csv", index=False)
    record = tables.read(tmp_path / "x.csv", 250.0)
    assert (record.leads, record.units) == (("MLII", "V1"), ())
    assert np.allclose(record.millivolts(0), np.rint(200 * beats()) / 200, atol=1e-3)
    assert np.allclose(record.millivolts(1), counts / 200, atol=1e-3)


def test_a_table_without_times_needs_a_rate(tmp_path: Path) -> None:
    pandas.DataFrame({"sample": np.arange(LENGTH), "II": beats()}).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(UserError, match=r'x.csv has no column "time": .*--rate'):
        tables.read(tmp_path / "x.csv")
    assert tables.read(tmp_path / "x.csv", 250.0).rate == 250.0


def test_empty_cells_and_rows_that_lack_are_missing_samples(tmp_path: Path) -> None:
    frame = table()
    frame.loc[10:19, "II (mV)"] = np.nan
    frame.drop(index=range(500, 600)).to_csv(tmp_path / "x.csv", index=False)
    record = tables.read(tmp_path / "x.csv")
    gone = np.flatnonzero(record.samples[:, 0] == MISSING)
    assert gone.tolist() == [*range(10, 20), *range(500, 600)]
    assert np.allclose(record.millivolts(0)[600:], beats()[600:], atol=1e-4)


def test_a_column_of_symbols_is_the_truth(tmp_path: Path) -> None:
    marks = np.full(LENGTH, "", object)
    marks[[5, 100, 350]] = ["(AFIB", "N", "V"]
    table({"symbol": marks}).to_csv(tmp_path / "x.csv", index=False)
    notes = tables.read(tmp_path / "x.csv").annotations
    assert notes is not None
    assert (notes.index.tolist(), notes.symbol.tolist()) == ([5, 100, 350], ["+", "N", "V"])
    assert notes.rhythm.tolist() == ["(AFIB"] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read as CSV|no row of column names"),
        ("0.1,0.2\n0.2,0.3\n", "has no row of column names"),
        ("time,II\n0,0\n", "has 1 rows"),
        ("time,II\n", "has no rows"),
        ("time,II (ADU)\n0,1\n0.004,1\n", r"column II is in 'ADU': give its gain too, such as II \(200 ADU/mV\)"),
        ("time,II\n0,0\n0.01,1\n0.005,0\n", "row 3 is not later than the row before it"),
        ("time,II\n0,0\n0.01,1\n,0\n", "row 3 holds no time"),
        ("time,II\n0,0\n0.01,x\n0.02,0\n", "column II holds 'x' in row 2, which is no number"),
        ("time (h),II\n0,0\n1,1\n", "column time is in 'h': give s, ms, us or ns"),
        ("time,II\nnoon,0\nlater,1\n", "column time holds no times"),
        ("time,II\n0,0\n0.02,1\n0.04,0\n", "at 50 Hz"),
        ("time,II\n0,1e200\n0.004,1\n0.008,0\n", "holds numbers as large as"),
        ("time,II (h)\n" + "\n".join(f"{i / 250},{i % 9}" for i in range(50)), "at 250 Hz|no ECG"),
        ("time,II\n" + "\n".join(f"{i / 250},{i % 250 * 9}" for i in range(999)), "mV tall"),
        ("time,II\n0,0\n0.004,1\n0.008,0\n0.0125,0\n0.0185,0\n0.0193,0\n", "give samples at one rate"),
    ],
)
def test_a_table_that_is_no_record_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    if "(h)" in text and text.startswith("time,"):
        assert tables.read(tmp_path / "x.csv").units == ("h",)  # no ECG: the producer says so
        return
    with pytest.raises(UserError, match=said) as refused:
        tables.read(tmp_path / "x.csv")
    assert "x.csv" in str(refused.value) and "\n" not in str(refused.value)


def test_parquet_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(UserError, match=r"x.parquet cannot be read as Parquet"):
        tables.read(tmp_path / "x.parquet")


@given(st.sampled_from([100.0, 125.0, 128.0, 250.0, 257.0, 333.3, 360.0, 500.0]), st.integers(4, 9), st.floats(0, 1e5))
def test_rounded_times_give_back_the_rate(rate: float, digits: int, begun: float) -> None:
    rows, found = places(np.round(begun + np.arange(2000) / rate, digits), "x")
    assert rows.tolist() == list(range(2000))
    assert found == pytest.approx(rate, rel=1e-4)
    assert found == rate or not rate.is_integer()


def test_times_with_gaps_of_any_length_put_rows_at_their_samples() -> None:
    kept = np.r_[0:100, 101:200, 260:300, 2_000:2_100]
    rows, rate = places(np.round(kept / 360, 4), "x")
    assert (rate, rows.tolist()) == (360.0, kept.tolist())
