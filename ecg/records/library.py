"""Where records come from: WFDB files on disk, PhysioNet, or the real excerpt that a dependency carries.

Records are looked for in $ECG_DATA, else in the user's data folder. What is missing there can be downloaded from
PhysioNet through `wfdb`; each file is checked against the published SHA-256 before it is kept.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import platformdirs
import requests
import sleepecg
import wfdb

from ecg.errors import UserError
from ecg.records import aami
from ecg.records.record import MISSING, Annotations, Record

EXCERPT: Final = "excerpt"
EXCERPT_RECORD: Final = "208-excerpt"
GROUPS: Final = {"all": aami.ALL, "ds1": aami.DS1, "ds2": aami.DS2}
DATABASE: Final = "mitdb"
SUMS: Final = "SHA256SUMS.txt"

Progress = Callable[[str, int, int], None]
"""Called with (file, files done, files in all)."""


def folder() -> Path:
    """Where records are kept: $ECG_DATA, else the user's data folder."""
    named = os.environ.get("ECG_DATA")
    return Path(named).expanduser() if named else platformdirs.user_data_path("ecg-monitor", False) / DATABASE


def available(where: Path | None = None) -> list[str]:
    """Names of the records in a folder (default: `folder()`), sorted."""
    place = where or folder()
    return sorted(found.stem for found in place.glob("*.hea")) if place.is_dir() else []


def find(names: str, where: Path | None = None) -> list[str]:
    """Record names meant by "excerpt", "all", "ds1", "ds2" or a comma-separated list.

    where: a folder of records; there "all" means all it holds. Raises UserError that names the nearest known ones.
    """
    here = available(where)
    known = set(here) if where else {*here, *aami.ALL, EXCERPT}
    groups = {"all": tuple(here)} if where else GROUPS
    chosen: list[str] = []
    for name in (part.strip() for part in names.split(",")):
        if name.lower() in groups:
            chosen += groups[name.lower()]
        elif name in known or (name == EXCERPT_RECORD and not where):
            chosen.append(name)
        else:
            near = difflib.get_close_matches(name, sorted(known), 3) or sorted(known)[:3]
            there = f"in {where}" if where else "known"
            raise UserError(
                f"no record {name!r} is {there}; give {', '.join(near + list(groups))}, or several with commas"
            )
    if not chosen:
        raise UserError(f"{where or folder()} holds no records (no .hea files)")
    return list(dict.fromkeys(chosen))


def missing(names: list[str]) -> list[str]:
    """Those of the named records that are not on disk yet."""
    here = set(available())
    return [name for name in names if name not in here and name not in (EXCERPT, EXCERPT_RECORD)]


def read(name: str, where: Path | None = None) -> Record:
    """One record by name. Raises UserError where it is not there or its files are broken."""
    if name in (EXCERPT, EXCERPT_RECORD) and where is None:
        return _excerpt()
    place = where or folder()
    if not (place / f"{name}.hea").exists():
        raise UserError(
            f"record {name} is not in {place}: point $ECG_DATA at a folder that has it, or let "
            f"`python -m producer --records {name}` download it"
        )
    return _read_wfdb(place / name)


def download(
    names: list[str], progress: Progress | None = None, database: str = DATABASE, where: Path | None = None
) -> None:
    """Fetch records of a database on PhysioNet into a folder (default: `folder()`).

    A file is kept only if its SHA-256 is the published one. Raises UserError where there is no network.
    """
    target = where or folder()
    files = [SUMS, *(f"{name}.{kind}" for name in names for kind in ("hea", "dat", "atr"))]
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as draft:
            sums: dict[str, str] = {}
            for done, file in enumerate(files):
                if progress:
                    progress(file, done, len(files))
                with contextlib.redirect_stdout(io.StringIO()):
                    wfdb.dl_files(database, draft, [file])
                got = Path(draft) / file
                if file == SUMS:
                    sums = _sums(got)
                elif hashlib.sha256(got.read_bytes()).hexdigest() != sums.get(file):
                    raise UserError(f"{file} as downloaded is not the published one (SHA-256 differs); try again")
            for name in names:  # the header last: a record is there once its header is
                for kind in ("dat", "atr", "hea"):
                    shutil.move(Path(draft) / f"{name}.{kind}", target / f"{name}.{kind}")
            if progress:
                progress("", len(files), len(files))
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"cannot download {', '.join(names)} from PhysioNet ({_first_line(error)}); use --records excerpt, "
            "5 minutes of real ECG that need no network, or point $ECG_DATA at a copy of the database"
        ) from None


def _sums(file: Path) -> dict[str, str]:
    """SHA-256 by file name, as PhysioNet publishes them."""
    pairs = (line.split(maxsplit=1) for line in file.read_text(encoding="ascii").splitlines() if line.strip())
    return {name.strip(): digest for digest, name in pairs}


def _excerpt() -> Record:
    """Five real minutes of record 208, lead MLII, out of the package sleepecg; it carries no annotations."""
    millivolts, rate = sleepecg.get_toy_ecg()  # type: ignore[attr-defined]
    samples = np.rint(millivolts * 200 + 1024).astype(np.int16)[:, None]
    return Record(
        name=EXCERPT_RECORD,
        rate=float(rate),
        leads=("MLII",),
        gain=np.array([200.0]),
        baseline=np.array([1024.0]),
        samples=samples,
        source=EXCERPT,
    )


def _read_wfdb(path: Path) -> Record:
    """A WFDB record with its reference annotations (.atr), where it has any."""
    try:
        found = wfdb.rdrecord(str(path), physical=False)
        rate, leads = float(found.fs), tuple(str(lead) for lead in found.sig_name)
        gain = np.array(found.adc_gain, np.float64)
        baseline = np.array(found.baseline, np.float64)
        digital = np.asarray(found.d_signal, np.int64)
    except Exception as error:
        raise UserError(f"record {path} cannot be read: {_first_line(error)}") from None
    if digital.ndim != 2 or digital.size == 0 or rate < 100:
        raise UserError(
            f"record {path} cannot be used: {digital.shape} samples at {rate:g} Hz (needed: 100 Hz or more)"
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
        source="wfdb",
        annotations=_annotations(path, len(digital)),
    )


def _annotations(path: Path, length: int) -> Annotations | None:
    """Reference annotations with the rhythm in force at each; None where there is no .atr file."""
    if not path.with_name(path.name + ".atr").exists():
        return None
    try:
        found = wfdb.rdann(str(path), "atr")
    except Exception as error:
        raise UserError(f"the annotations {path}.atr cannot be read: {_first_line(error)}") from None
    rhythm, rhythms = "", []
    for symbol, note in zip(found.symbol, found.aux_note, strict=True):
        text = note.rstrip("\x00").strip()
        if symbol == "+" and text.startswith("("):
            rhythm = text
        rhythms.append(rhythm)
    index = np.asarray(found.sample, np.int64)
    inside = (index >= 0) & (index < length)
    return Annotations(index[inside], np.array(found.symbol, np.str_)[inside], np.array(rhythms, np.str_)[inside])


def _first_line(error: Exception) -> str:
    """What an exception says, in one line."""
    if isinstance(error, requests.exceptions.ConnectionError):
        return "physionet.org does not answer: is there a network?"
    lines = str(error).strip().splitlines()
    return (lines[0].strip() if lines else type(error).__name__)[:200]
