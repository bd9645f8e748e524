"""Records out of files by their place: WFDB, EDF, XDF, tables; a file, or a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from ecg.errors import UserError
from ecg.records import edf, library, stitching, tables, wfdb, xdf
from ecg.records.record import Record
from ecg.records.rows import is_rows

WFDB_ENDINGS: Final = (".hea", ".dat", ".atr")
MOST_BYTES: Final = 4 << 30
"""Of a file that is read as a whole: a day of 12 leads at 1,000 Hz has half of that."""


def open_records(
    path: Path,
    annotator: str = wfdb.ANNOTATOR,
    rate: float | None = None,
    by_class: bool = False,
    refused: list[str] | None = None,
) -> list[Record]:
    """The records at a place: a WFDB record (with or without ending), another file that is read, or a folder.

    A CSV file of 188 numbers a row is rows of beats (`ecg.records.stitching`): by_class makes a strip of each class.

    Of a folder, all WFDB records, EDF, BDF and XDF files in it and in its folders; tables only where there is nothing
    else, since many a database has some beside its records. rate: Hz, for tables without times. Raises UserError.
    refused: where given, takes the sentences about records of a folder that cannot be read; the others are read.
    """
    if path.is_dir():
        return _folder(path, annotator, rate, refused)
    bare = path.with_suffix("") if path.suffix.lower() in WFDB_ENDINGS else path
    if bare.with_name(f"{bare.name}.hea").is_file():
        return [wfdb.read(bare, annotator)]
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    reader = _reader(path, rate)
    if path.suffix.lower() == ".csv" and is_rows(path):
        return stitching.read(path, by_class)
    return [reader(path)]


def _reader(path: Path, rate: float | None) -> Callable[[Path], Record]:
    """What reads files of that ending. Raises UserError where there is no such thing, or the file is too large."""
    ending = path.suffix.lower()
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"{path} is larger than {MOST_BYTES >> 30} GiB: cut it into records")
    if ending in edf.ENDINGS:
        return edf.read
    if ending in xdf.ENDINGS:
        return xdf.read
    if ending in tables.ENDINGS:
        return lambda place: tables.read(place, rate)
    known = ", ".join((*WFDB_ENDINGS[:1], *edf.ENDINGS, *xdf.ENDINGS, *tables.ENDINGS))
    raise UserError(f"{path} is of no kind that is read: give one of {known}, or a folder of them")


def _folder(path: Path, annotator: str, rate: float | None, refused: list[str] | None) -> list[Record]:
    """All records of a folder, named by their place in it."""
    names = library.whole(library.available(path), path)
    ways: list[Callable[[], Record]] = [partial(library.read, name, path, annotator) for name in names]
    for endings in ((*edf.ENDINGS, *xdf.ENDINGS), tables.ENDINGS):
        if endings is tables.ENDINGS and ways:
            break
        for file in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.suffix.lower() in endings and file.is_file() and not hidden:
                ways.append(partial(_named, file, path, rate))
    if not ways:
        raise UserError(f"{path} holds no records: no WFDB, EDF, BDF or XDF files, no CSV or Parquet tables")
    return all_that_can(ways, refused)


def _named(file: Path, folder: Path, rate: float | None) -> Record:
    """A file of a folder as a record, named by its place in it."""
    name = file.relative_to(folder).with_suffix("").as_posix()
    return replace(_reader(file, rate)(file), name=name)


def all_that_can(ways: Sequence[Callable[[], Record]], refused: list[str] | None) -> list[Record]:
    """The records that can be read, `refused` taking the sentences about the others.

    Raises UserError where there is no such list, or none can be read.
    """
    found, said = [], []
    for way in ways:
        try:
            found.append(way())
        except UserError as error:
            if refused is None:
                raise
            said.append(str(error))
    if not found:
        raise UserError(said[0] if len(said) == 1 else f"none of {len(said)} records can be read; the first: {said[0]}")
    if refused is not None:
        refused += said
    return found
