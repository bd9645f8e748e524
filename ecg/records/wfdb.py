"""WFDB files: a header (.hea), samples (.dat) and reference annotations (.atr), read and written.

The package `wfdb` does the work. It brings pandas and matplotlib along, so it is imported at the first record.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from ecg.errors import UserError, needs
from ecg.records.gaps import MADE_BY, RECORDED
from ecg.records.record import MISSING, Annotations, Record

WHAT: Final = "reading and writing WFDB records"
SLOWEST: Final = 100.0
"""Hz. A record sampled more slowly has lost the QRS complexes' edges."""
BEGUN: Final = re.compile(r"(\d{1,2}(:\d{1,2}){0,2}(\.\d+)?(\s+\d{1,2}/\d{1,2}/\d{4})?)?")
"""The time and date of a record's beginning, as the package reads them."""


def read(path: Path) -> Record:
    """The record whose files are `path`.hea and so on, with its reference annotations (.atr) where it has any.

    Raises UserError where it cannot be read, or does not fit 16 bits and 100 Hz or more.
    """
    with needs("records", WHAT):
        import wfdb

    try:
        with _without_a_foreign_date(path) as plain:
            found = wfdb.rdrecord(str(plain), physical=False)
        rate, leads = float(found.fs), tuple(str(lead) for lead in found.sig_name)
        gain = np.array(found.adc_gain, np.float64)
        baseline = np.array(found.baseline, np.float64)
        digital = np.asarray(found.d_signal, np.int64)
    except Exception as error:
        raise UserError(f"record {path} cannot be read: {first_line(error)}") from None
    if digital.ndim != 2 or digital.size == 0 or rate < SLOWEST:
        raise UserError(
            f"record {path} cannot be used: {digital.shape} samples at {rate:g} Hz (needed: {SLOWEST:g} Hz or more)"
        )
    for column, form in enumerate(found.fmt):
        invalid = {"212": -2048, "310": -512, "311": -512, "8": None}.get(form, -(1 << 15))
        if invalid is not None:
            digital[digital[:, column] == invalid, column] = MISSING
    valid = digital[digital != MISSING]
    if len(valid) and (valid.min() < -32767 or valid.max() > 32767):
        raise UserError(f"record {path} cannot be used: its samples do not fit 16 bits")
    if not (np.isfinite(gain).all() and (gain > 0).all()):
        raise UserError(f"record {path} cannot be used: a gain of {gain.tolist()} ADU/mV")
    return Record(
        name=path.name,
        rate=rate,
        leads=leads,
        gain=gain,
        baseline=baseline,
        samples=digital.astype(np.int16),
        source=RECORDED if MADE_BY in (comment.strip() for comment in found.comments) else "wfdb",
        annotations=_annotations(path, len(digital)),
    )


@contextmanager
def _without_a_foreign_date(path: Path) -> Iterator[Path]:
    """The record with a header that the package reads.

    It gives up at a date that is not day/month/year, such as 2014-04-15. Nothing here needs the date, so a copy of the
    header goes without, beside links to the signals.
    """
    lines = path.with_name(path.name + ".hea").read_text(encoding="utf-8", errors="replace").splitlines()
    at = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), -1)
    words = lines[at].split(maxsplit=4) if at >= 0 else []
    if len(words) < 5 or BEGUN.fullmatch(words[4].strip()):
        yield path
        return
    lines[at] = " ".join(words[:4])
    with tempfile.TemporaryDirectory(prefix="ecg-header-") as folder:
        place = Path(folder) / path.name
        place.with_name(path.name + ".hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name in {line.split()[0] for line in lines[at + 1 :] if line.strip() and not line.startswith("#")}:
            if "/" not in name and path.with_name(name).is_file():
                place.with_name(name).symlink_to(path.with_name(name).resolve())
        yield place


def _annotations(path: Path, length: int) -> Annotations | None:
    """Reference annotations with the rhythm in force at each; None where there is no .atr file."""
    if not path.with_name(path.name + ".atr").exists():
        return None
    import wfdb

    try:
        found = wfdb.rdann(str(path), "atr")
    except Exception as error:
        raise UserError(f"the annotations {path}.atr cannot be read: {first_line(error)}") from None
    rhythm, rhythms = "", []
    for symbol, note in zip(found.symbol, found.aux_note, strict=True):
        text = note.rstrip("\x00").strip()
        if symbol == "+" and text.startswith("("):
            rhythm = text
        rhythms.append(rhythm)
    index = np.asarray(found.sample, np.int64)
    inside = (index >= 0) & (index < length)
    return Annotations(index[inside], np.array(found.symbol, np.str_)[inside], np.array(rhythms, np.str_)[inside])


def write(record: Record, folder: Path) -> None:
    """Write `record` as WFDB files that any WFDB program reads: 16-bit samples, and .atr where it has annotations.

    The header is written last: a record is there once its header is. Raises UserError where it cannot be written.
    """
    with needs("records", WHAT):
        import wfdb

    notes = record.annotations
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("hea", "atr"):
            (folder / f"{record.name}.{kind}").unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as draft:
            wfdb.wrsamp(
                record.name,
                record.rate,
                ["mV"] * len(record.leads),
                list(record.leads),
                d_signal=record.samples,
                fmt=["16"] * len(record.leads),
                adc_gain=record.gain.tolist(),
                baseline=np.rint(record.baseline).astype(int).tolist(),
                write_dir=draft,
            )
            if notes is not None and len(notes.index):
                wfdb.wrann(
                    record.name,
                    "atr",
                    notes.index,
                    notes.symbol.tolist(),
                    aux_note=changes(notes),
                    fs=record.rate,
                    write_dir=draft,
                )
            for file in sorted(Path(draft).iterdir(), key=lambda file: file.suffix == ".hea"):
                file.replace(folder / file.name)
    except Exception as error:
        raise UserError(f"record {record.name} cannot be written to {folder}: {first_line(error)}") from None


def changes(notes: Annotations) -> list[str]:
    """The rhythm at each rhythm change ("+"), "" at all else, as annotation files hold it."""
    return [str(rhythm) if symbol == "+" else "" for symbol, rhythm in zip(notes.symbol, notes.rhythm, strict=True)]


def first_line(error: Exception) -> str:
    """What an exception says, in one line."""
    lines = str(error).strip().splitlines()
    return (lines[0].strip() if lines else type(error).__name__)[:200]
