"""The patients a fit or a cross-validation has: the records of one or more databases, in folds of whole patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ecg.records import databases
from ecg.records.databases import PARTS, Database, Folds
from ecg.records.record import Record


@dataclass(frozen=True, slots=True)
class Patients:
    """Records of databases, by their full names ("101", "svdb:802"), in the order of the databases."""

    databases: tuple[Database, ...]

    @property
    def names(self) -> list[str]:
        """Every record that may be fitted on."""
        return [one.full(record) for one in self.databases for record in one.records]

    @property
    def folds(self) -> Folds:
        """PARTS parts that are held out one after another: fold k of every database together."""
        return tuple(
            tuple(one.full(record) for one in self.databases for record in one.folds[part]) for part in range(PARTS)
        )

    def beside(self, name: str) -> list[str]:
        """The records of the same database in the fold of this one, itself among them."""
        for one in self.databases:
            for fold in one.folds:
                full = [one.full(record) for record in fold]
                if name in full:
                    return full
        return []

    def read(self, name: str) -> Record:
        """A record by its full name. Raises UserError where it is not there."""
        return databases.read(name, self.databases)

    def missing(self, names: list[str]) -> list[tuple[Database, list[str]]]:
        """Those of the named records that are not on disk, by database."""
        found = []
        for one in self.databases:
            lacking = set(one.missing)
            gone = [record for record in one.records if record in lacking and one.full(record) in names]
            if gone:
                found.append((one, gone))
        return found


def patients(given: tuple[str, ...] | list[str]) -> Patients:
    """Patients of databases by name or folder. Raises UserError for one that is neither, or that has no beats."""
    found = tuple(databases.database(one) for one in dict.fromkeys(given))
    for one in found:
        databases.demand_beats(one)
    return Patients(found)


DS1: Final = Patients((databases.MITDB,))
"""The patients of de Chazal's training set."""
