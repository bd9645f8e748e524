"""WFDB files: a header (.hea), samples (.dat) and reference annotations (.atr), read and written.

The package `wfdb` does the work. It brings pandas and matplotlib along, so it is imported at the first record.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from ecg.errors import UserError, needs
from ecg.records.building import build
from ecg.records.gaps import source
from ecg.records.record import Annotations, Record
from ecg.records.wfdb_signals import WHAT, first_line, link_beside, read_signals, readable_header

ANNOTATOR: Final = "atr"
MOST_ANNOTATIONS: Final = 64 << 20
"""Bytes: weeks of beats with notes."""
NO_ANNOTATIONS: Final = ("hea", "dat", "mat", "txt", "md", "csv", "edf", "xws", "png", "pdf", "json", "html", "zip")


def read(path: Path, annotator: str = ANNOTATOR) -> Record:
    """The record whose files are `path`.hea and so on, with the annotations of one annotator where it has them.

    What is read, and how: docs/formats.md. Raises UserError where it cannot be read, or not without loss.
    """
    signals = read_signals(path)
    notes, ticks = read_annotations(path, annotator)
    return build(path.name, signals, source=source(path), where=str(path), annotations=notes, annotated_at=ticks)


def annotators(path: Path) -> list[str]:
    """Names of the annotation files beside a record: what ends like it and is neither header nor signal nor text."""
    stem = path.name + "."
    found = (file.name.removeprefix(stem) for file in path.parent.glob(f"{stem}*") if file.is_file())
    return sorted(name for name in found if name.isalnum() and name not in NO_ANNOTATIONS)


def read_annotations(path: Path, annotator: str = ANNOTATOR) -> tuple[Annotations | None, float]:
    """Annotations with the rhythm in force at each, and their ticks per second; None where there is no such file.

    Raises UserError where the file cannot be read.
    """
    if not path.with_name(f"{path.name}.{annotator}").is_file():
        return None, 0.0
    import wfdb

    try:
        if path.with_name(f"{path.name}.{annotator}").stat().st_size > MOST_ANNOTATIONS:
            raise ValueError(f"it is larger than {MOST_ANNOTATIONS >> 20} MiB")
        with readable_header(path) as plain:
            link_beside(path, plain, f"{path.name}.{annotator}")
            found = wfdb.rdann(str(plain), annotator)
        index, symbols = np.asarray(found.sample, np.int64), [str(symbol) for symbol in found.symbol]
        notes = [note.rstrip("\x00").strip() for note in found.aux_note]
        rhythm, rhythms = "", []
        for symbol, text in zip(symbols, notes, strict=True):  # of a damaged file the package gives other lengths
            if symbol == "+" and text.startswith("("):
                rhythm = text
            rhythms.append(rhythm)
    except Exception as error:
        raise UserError(f"the annotations {path}.{annotator} cannot be read: {first_line(error)}") from None
    return Annotations(index, np.array(symbols, np.str_), np.array(rhythms, np.str_)), float(found.fs or 0.0)


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
