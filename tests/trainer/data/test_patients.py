from __future__ import annotations

from pathlib import Path

from ecg.records.databases import MITDB, SVDB
from ecg.records.patients import DS1, Patients, patients
from ecg.records.record import Record
from tests.support.annotated_pieces import write_wfdb


def test_a_fold_of_two_databases_holds_out_a_part_of_each() -> None:
    both = Patients((MITDB, SVDB))
    assert sorted(name for fold in both.folds for name in fold) == sorted(both.names)
    assert len(both.names) == 72
    for fold, ours, theirs in zip(both.folds, MITDB.folds, SVDB.folds, strict=True):
        assert set(fold) == {*ours, *(f"svdb:{name}" for name in theirs)}


def test_what_stands_beside_a_record_is_of_its_own_fold_and_database() -> None:
    both = Patients((MITDB, SVDB))
    assert both.beside("svdb:807") == [f"svdb:{name}" for name in SVDB.folds[0]]
    assert both.beside("208") == list(MITDB.folds[0])
    assert DS1.beside("svdb:807") == []


def test_records_of_a_folder_are_told_from_others_of_their_name(pieces: list[Record], tmp_path: Path) -> None:
    place = tmp_path / "clinic"
    place.mkdir()
    for record in pieces:
        write_wfdb(record, place)
    mine = patients([str(place)])
    assert set(mine.names) == {"clinic:one", "clinic:two", "clinic:three"}
    assert mine.read("clinic:two").name == "clinic:two"
    (place / "two.hea").rename(tmp_path / "two.hea")
    assert patients([str(place)]).names == ["clinic:one", "clinic:three"]
