"""Annotated databases: where each lies, what its annotations can be trusted for, and which patients stand together.

A record of a database is meant by "<database>:<record>" ("svdb:802"); a record of the MIT-BIH Arrhythmia Database by
its number alone. A folder of the user's own is a database named after the folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import platformdirs

from ecg.errors import UserError
from ecg.records import aami, library
from ecg.records.record import Record

Folds = tuple[tuple[str, ...], ...]

PARTS: Final = 4
"""Folds of every database: what is held out together, by patient. Fold k of all databases is one part of a fit."""
ODC_BY: Final = "Open Data Commons Attribution License 1.0"


def _folds(*parts: str) -> Folds:
    return tuple(tuple(part.split()) for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database.

    name: what it is called here and on PhysioNet. title: in words. variable: the environment variable that names its
    folder ("" for none). place: its folder where neither that nor the user's data folder is meant. symbols: AAMI
    classes that its beat annotations can be trusted for ("" where beats are not annotated). rhythms: rhythm labels
    they can be trusted for. records: those given for training and choice; () where nothing is fitted on it. folds:
    these in PARTS parts of whole patients. licence, source: to be named wherever results are shown.
    """

    name: str
    title: str
    variable: str
    licence: str
    source: str
    symbols: str = ""
    rhythms: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    folds: Folds = ()
    place: Path | None = None

    @property
    def folder(self) -> Path:
        """Where its records are kept: what its environment variable says, else the user's data folder."""
        if self.place:
            return self.place
        named = os.environ.get(self.variable)
        return Path(named).expanduser() if named else platformdirs.user_data_path("ecg-monitor", False) / self.name

    @property
    def missing(self) -> list[str]:
        """Those of its records that are not on disk."""
        here = set(library.available(self.folder))
        return [name for name in self.records if name not in here]

    def full(self, record: str) -> str:
        """The name a record goes by among those of other databases: "svdb:802", "100"."""
        return record if self.name == MITDB.name else f"{self.name}:{record}"

    def read(self, record: str) -> Record:
        """One of its records, under its full name. Raises UserError where it is not there or broken."""
        if record not in library.available(self.folder):
            hint = f"point ${self.variable} at a folder that has it" if self.variable else "give a folder that has it"
            raise UserError(f"record {record} of {self.name} is not in {self.folder}: {hint}")
        return replace(library.read(record, self.folder), name=self.full(record))


MITDB: Final = Database(
    name="mitdb",
    title="MIT-BIH Arrhythmia Database",
    variable="ECG_DATA",
    licence=ODC_BY,
    source="Moody GB, Mark RG. IEEE Eng Med Biol 20(3):45-50 (2001)",
    symbols="NSVFQ",
    rhythms=(
        "(N",
        "(AFIB",
        "(AFL",
        "(AB",
        "(B",
        "(T",
        "(VT",
        "(VFL",
        "(IVR",
        "(NOD",
        "(SVTA",
        "(SBR",
        "(BII",
        "(PREX",
        "(P",
    ),
    records=aami.DS1,
    folds=_folds(
        "209 101 114 208 106",
        "207 220 116 203 109 112",
        "201 118 119 122 230",
        "223 124 205 215 108 115",
    ),
)
"""Its records here are DS1: DS2 is for reporting and never fitted on, the paced ones are left out (EC57)."""

SVDB: Final = Database(
    name="svdb",
    title="MIT-BIH Supraventricular Arrhythmia Database",
    variable="ECG_SVDB",
    licence=ODC_BY,
    source="Greenwald SD. Improved detection and classification of arrhythmias in noise-corrupted electrocardiograms "
    "using contextual information. Thesis, Harvard-MIT (1990)",
    symbols="NSV",
    folds=_folds(
        "807 812 841 842 845 846 851 856 857 865 867 873 876",
        "802 827 829 848 853 861 864 866 869 870 871 872 889",
        "811 821 823 826 840 855 875 878 885 888 891 893",
        "804 808 810 822 824 825 843 854 863 887 890 894",
    ),
    records=tuple(
        "802 804 807 808 810 811 812 821 822 823 824 825 826 827 829 840 841 842 843 845 846 848 851 853 854 "
        "855 856 857 861 863 864 865 866 867 869 870 871 872 873 875 876 878 885 887 888 889 890 891 893 894".split()
    ),
)
"""50 of its 78 records: the others are for examination. Its folds hold N, S and V beats about alike."""

NSTDB: Final = Database(
    name="nstdb",
    title="MIT-BIH Noise Stress Test Database",
    variable="ECG_NSTDB",
    licence=ODC_BY,
    source="Moody GB, Muldrow WE, Mark RG. Computers in Cardiology 11:381-384 (1984)",
)
"""Noise alone in `bw`, `em` and `ma`; its other records are 118 and 119 of MITDB again."""

VFDB: Final = Database(
    name="vfdb",
    title="MIT-BIH Malignant Ventricular Ectopy Database",
    variable="ECG_VFDB",
    licence=ODC_BY,
    source="Greenwald SD. The development and analysis of a ventricular fibrillation detector. Thesis, MIT (1986)",
    rhythms=("(N", "(VF", "(VFIB", "(VFL", "(VT", "(ASYS", "(NOISE"),
)

KNOWN: Final = {one.name: one for one in (MITDB, SVDB, NSTDB, VFDB)}


def database(name_or_folder: str) -> Database:
    """A database by name, or a folder of the user's own annotated WFDB records. Raises UserError for neither."""
    if name_or_folder in KNOWN:
        return KNOWN[name_or_folder]
    folder = Path(name_or_folder).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {name_or_folder}: give one that holds annotated WFDB records, or "
            f"one of {', '.join(KNOWN)}"
        )
    return of_folder(folder)


def of_folder(folder: Path) -> Database:
    """A folder of annotated WFDB records as a database. Each record is taken for another patient.

    Raises UserError where it holds no record with annotations.
    """
    records = tuple(name for name in library.available(folder) if (folder / f"{name}.atr").exists())
    if not records:
        raise UserError(f"{folder} holds no annotated records (a .hea and an .atr file of one name)")
    return Database(
        name=folder.resolve().name,
        title=f"records of {folder}",
        variable="",
        licence="",
        source="",
        symbols="NSVFQ",
        records=records,
        folds=tuple(records[part::PARTS] for part in range(PARTS)),
        place=folder,
    )


def database_of(full: str) -> str:
    """The name of the database of a record, by its full name."""
    before, colon, _ = full.partition(":")
    return before if colon else MITDB.name


def demand_beats(one: Database) -> None:
    """Raises UserError where nothing can be fitted on a database."""
    if not (one.records and one.symbols):
        fit = ", ".join(known.name for known in KNOWN.values() if known.records)
        raise UserError(f"{one.name} has no annotated beats to fit on; take {fit} or a folder of annotated records")


def read(full: str, among: tuple[Database, ...] = ()) -> Record:
    """A record by its full name, out of one of these databases or of those that are known."""
    before, colon, record = full.partition(":")
    if not colon:
        return library.read(full)
    named = {**KNOWN, **{one.name: one for one in among}}
    if before not in named:
        raise UserError(f"no database {before!r} is known; there are {', '.join(named)}")
    return named[before].read(record)
