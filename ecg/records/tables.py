"""Tables as records: CSV or Parquet with a column of time and one column for every signal.

A column's name may end with its unit: "II (mV)", "II [uV]", "ABP/mmHg"; so may that of the time: "time (ms)". A column
of ADU says its gain, and its baseline where that is not 0: "II (200 ADU/mV, 1024)". CSV may have a second row of units,
as `rdsamp -v` writes. pandas reads the tables.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError, needs
from ecg.records.aami import CLASS_OF
from ecg.records.building import Signal, build, of_values
from ecg.records.clock import places
from ecg.records.record import Record
from ecg.records.texts import notes_of
from ecg.records.wfdb_signals import first_line

ENDINGS: Final = (".csv", ".tsv", ".parquet")
TIMES: Final = ("time", "t", "timestamp", "elapsed time", "seconds", "sec", "datetime", "date", "ms", "milliseconds")
COUNTS: Final = ("sample", "sample #", "samples", "index", "i", "")
SYMBOLS: Final = ("symbol", "annotation", "label", "beat")
SECONDS: Final = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "ns": 1e-9}
COUNTED: Final = re.compile(r"(?P<gain>\d+\.?\d*) *ADU/(?P<unit>\w+)(?: *, *(?P<baseline>-?\d+\.?\d*))?", re.IGNORECASE)
"""A unit of ADU: how many of them one of the unit are, and how many are 0 of it."""
UNIT: Final = re.compile(r"^(?P<name>.*?)\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\[\]]*)\]|/(?P<bare>[^/\s]+))?$")


def read(path: Path, rate: float | None = None) -> Record:
    """The record of a table. rate: Hz, for one without a column of time.

    A column "symbol" holds annotations: a beat's symbol ("N", "V", ...) or a rhythm ("(AFIB") in the row of its sample.
    Raises UserError that names the column or the row that cannot be used.
    """
    frame, units = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    if not len(frame):
        raise UserError(f"{path} has no rows: a record needs some")
    columns = [_column(str(name), unit) for name, unit in zip(frame.columns, units, strict=True)]
    symbols: Any = None
    clock: tuple[NDArray[np.int64], float] | None = None
    values: list[tuple[str, str, NDArray[np.float64]]] = []
    for position, (name, unit) in enumerate(columns):
        data, small = frame.iloc[:, position], name.lower()
        if small in TIMES and clock is None:
            clock = places(_seconds(path, data, name, unit or small), str(path))
        elif small in SYMBOLS and not _numeric(data):
            symbols = data
        elif small not in COUNTS:
            values.append((name, unit, _numbers(path, data, name)))
    if clock is None:
        if rate is None:
            raise UserError(f'{path} has no column "time": give one in seconds, or the rate in Hz with --rate')
        clock = np.arange(len(frame)), rate
    rows, hertz = clock
    signals = [_signal(path, name, unit, hertz, data, rows) for name, unit, data in values]
    told = () if symbols is None else zip(rows.tolist(), symbols, strict=True)
    notes = notes_of((row, str(cell).strip()) for row, cell in told)
    source = path.suffix[1:].lower().replace("tsv", "csv")
    return build(path.stem, signals, source=source, where=str(path), annotations=notes, annotated_at=hertz)


def _column(name: str, unit: str) -> tuple[str, str]:
    """Name and unit of a column by its heading, and the unit that stands under it."""
    found = UNIT.match(name.strip().strip("'\"").strip())
    if found is None:
        return name, unit
    own = found["round"] or found["square"] or found["bare"] or ""
    return found["name"].strip().strip("'\""), (own or unit).strip()


def _csv(path: Path) -> tuple[Any, list[str]]:
    """The table of a CSV file, and the units in its second row ("" where it has none)."""
    with needs("files", "reading CSV files"):
        import pandas
    try:
        with path.open(encoding="utf-8-sig") as lines:
            head, second = ([*islice(lines, 2), "", ""])[:2]
        cut = max(",;\t", key=head.count)
        under = [cell.strip().strip("'\"") for cell in second.split(cut)]
        named = not any(_is_number(cell, cut) for cell in head.split(cut))
        units = named and all(cell and not _is_number(cell, cut) for cell in under) and len(under) > 1
        if not named:
            raise UserError(f"{path} has no row of column names: give one, such as time (s),II (mV)")
        skip = [1] if units and not set(under) & set(CLASS_OF) else None
        frame = pandas.read_csv(
            path, sep=cut, decimal="," if cut == ";" else ".", skiprows=skip, encoding="utf-8-sig", low_memory=False
        )
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} cannot be read as CSV: {first_line(error)}") from None
    if skip and len(under) != frame.shape[1]:
        raise UserError(f"{path} has {frame.shape[1]} columns and {len(under)} units below their names: give one each")
    return frame, under if skip else [""] * frame.shape[1]


def _parquet(path: Path) -> tuple[Any, list[str]]:
    """The table of a Parquet file; a named index is a column of it."""
    with needs("files", "reading Parquet files"):
        import pandas
        import pyarrow  # noqa: F401 - pandas finds it by itself, and says less well that it does not
    try:
        frame = pandas.read_parquet(path)
    except Exception as error:
        raise UserError(f"{path} cannot be read as Parquet: {first_line(error)}") from None
    if frame.index.name:
        frame = frame.reset_index()
    return frame, [""] * frame.shape[1]


def _is_number(cell: str, cut: str) -> bool:
    text = cell.strip().strip("'\"")
    try:
        float(text.replace(",", ".") if cut == ";" else text)
    except ValueError:
        return False
    return True


def _numeric(data: Any) -> bool:
    return bool(data.dtype.kind in "iufb")


def _numbers(path: Path, data: Any, name: str) -> NDArray[np.float64]:
    """A column of numbers: float64, NaN where a cell is empty. Raises UserError with the row of what is no number."""
    import pandas

    if _numeric(data):
        return np.asarray(data, np.float64)
    numbers = pandas.to_numeric(data, errors="coerce")
    odd = np.flatnonzero(np.asarray(numbers.isna() & data.notna() & ~data.isin(["-", "NaN", "nan", ""])))
    if len(odd):
        raise UserError(f"{path}: column {name} holds {data.iloc[odd[0]]!r} in row {odd[0] + 1}, which is no number")
    return np.asarray(numbers, np.float64)


def _seconds(path: Path, data: Any, name: str, unit: str) -> NDArray[np.float64]:
    """The column of time in seconds from its first row: numbers of a unit, h:mm:ss, or dates. Raises UserError."""
    import pandas

    if _numeric(data):
        size = SECONDS.get(unit.lower(), 1.0 if unit.lower() in TIMES else 0.0)
        if not size:
            raise UserError(f"{path}: column {name} is in {unit!r}: give s, ms, us or ns")
        numbers = np.asarray(data, np.float64)
        return (numbers - numbers[:1]) * size
    try:
        moments = pandas.to_datetime(data.astype(str).str.strip(" []'\""), format="mixed")
    except ValueError as error:
        raise UserError(f"{path}: column {name} holds no times: {first_line(error)}") from None
    return np.asarray((moments - moments.iloc[0]).dt.total_seconds(), np.float64)


def _signal(
    path: Path, name: str, unit: str, rate: float, data: NDArray[np.float64], rows: NDArray[np.int64]
) -> Signal:
    """One signal, its values put at their samples; where there is no row, none is."""
    length = int(rows[-1]) + 1 if len(rows) else 0
    values = data
    if length != len(data):
        values = np.full(length, np.nan)
        values[rows] = data
    counted = COUNTED.fullmatch(unit)
    if counted and float(counted["gain"]) > 0:
        unit, values = counted["unit"], (values - float(counted["baseline"] or 0)) / float(counted["gain"])
    elif "ADU" in unit.upper():
        raise UserError(f"{path}: column {name} is in {unit!r}: give its gain too, such as {name} (200 ADU/mV)")
    try:
        return of_values(name, unit, rate, values)
    except ValueError as error:
        raise UserError(f"{path} cannot be used: {error}") from None
