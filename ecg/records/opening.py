"""Records out of files by their place: WFDB, EDF, tables; a file, or a folder of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ecg.errors import UserError
from ecg.records import edf, library, stitching, tables, wfdb
from ecg.records.record import Record
from ecg.records.rows import is_rows

WFDB_ENDINGS: Final = (".hea", ".dat", ".atr")


def open_records(
    path: Path, annotator: str = wfdb.ANNOTATOR, rate: float | None = None, by_class: bool = False
) -> list[Record]:
    """The records at a place: a WFDB record (with or without ending), an EDF, BDF, CSV or Parquet file, or a folder.

    A CSV file of 188 numbers a row is rows of beats (`ecg.records.stitching`): by_class makes a strip of each class.

    Of a folder, all WFDB records, EDF and BDF files in it and in its folders; tables only where there is nothing else,
    since many a database has some beside its records. rate: Hz, for tables without times. Raises UserError.
    """
    if path.is_dir():
        return _folder(path, annotator, rate)
    bare = path.with_suffix("") if path.suffix.lower() in WFDB_ENDINGS else path
    if bare.with_name(f"{bare.name}.hea").is_file():
        return [wfdb.read(bare, annotator)]
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    if path.suffix.lower() == ".csv" and is_rows(path):
        return stitching.read(path, by_class)
    return [_reader(path, rate)(path)]


def _reader(path: Path, rate: float | None) -> Callable[[Path], Record]:
    """What reads files of that ending."""
    ending = path.suffix.lower()
    if ending in edf.ENDINGS:
        return edf.read
    if ending in tables.ENDINGS:
        return lambda place: tables.read(place, rate)
    known = ", ".join((*WFDB_ENDINGS[:1], *edf.ENDINGS, *tables.ENDINGS))
    raise UserError(f"{path} is of no kind that is read: give one of {known}, or a folder of them")


def _folder(path: Path, annotator: str, rate: float | None) -> list[Record]:
    """All records of a folder, named by their place in it."""
    names = library.whole(library.available(path), path)
    found = [library.read(name, path, annotator) for name in names]
    for endings in (edf.ENDINGS, tables.ENDINGS):
        if endings is tables.ENDINGS and found:
            break
        for file in sorted(path.rglob("*")):
            place = file.relative_to(path)
            hidden = any(part.startswith(".") for part in place.parts)
            if file.suffix.lower() in endings and file.is_file() and not hidden:
                one = _reader(file, rate)(file)
                found.append(replace(one, name=place.with_suffix("").as_posix()))
    if not found:
        raise UserError(f"{path} holds no records: no WFDB, EDF or BDF files, no CSV or Parquet tables")
    return found
