"""Annotated databases by name, and folders of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecg.errors import UserError
from ecg.records import aami, databases
from ecg.records.databases import KNOWN, MITDB, PARTS, SVDB, Database
from ecg.records.record import Annotations
from tests.support.wfdb_files import write_record


@pytest.mark.parametrize("one", [one for one in KNOWN.values() if one.records], ids=lambda one: one.name)
def test_each_record_that_is_given_for_training_stands_in_one_fold(one: Database) -> None:
    assert len(one.folds) == PARTS
    in_folds = [name for fold in one.folds for name in fold]
    assert sorted(in_folds) == sorted(one.records)
    assert len(set(in_folds)) == len(in_folds)


def test_nothing_of_ds2_and_no_paced_record_is_given_for_training() -> None:
    assert set(MITDB.records) == set(aami.DS1)
    assert set(MITDB.records).isdisjoint([*aami.DS2, *aami.PACED])
    assert len(SVDB.records) == 50


def test_the_folds_of_svdb_hold_s_and_v_beats_about_alike() -> None:
    if SVDB.missing:
        pytest.skip(f"the SVDB records are not in {SVDB.folder} (set $ECG_SVDB)")
    counts: dict[str, list[int]] = {"S": [], "V": []}
    for fold in SVDB.folds:
        symbols = [str(s) for name in fold for s in notes_of(name).symbol]
        for kind, found in counts.items():
            found.append(sum(aami.CLASS_OF.get(symbol) == kind for symbol in symbols))
    for found in counts.values():
        assert max(found) < 1.25 * min(found)


def notes_of(record: str) -> Annotations:
    notes = SVDB.read(record).annotations
    assert notes is not None
    return notes


def test_a_database_is_found_where_its_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_record(tmp_path / "mine", "802", 128)
    monkeypatch.setenv("ECG_SVDB", str(tmp_path / "mine"))
    assert "802" not in SVDB.missing
    assert len(SVDB.missing) == len(SVDB.records) - 1
    record = databases.read("svdb:802")
    assert (record.name, record.rate) == ("svdb:802", 128)


def test_without_its_variable_a_database_lies_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECG_SVDB", raising=False)
    assert SVDB.folder.name == "svdb"
    assert SVDB.folder.parent.name == "ecg-monitor"


def test_a_folder_of_ones_own_is_a_database_of_its_annotated_records(tmp_path: Path) -> None:
    place = tmp_path / "clinic"
    for name in ("a", "b", "c", "d", "e"):
        write_record(place, name)
    (place / "e.atr").unlink()
    mine = databases.database(str(place))
    assert mine.records == ("a", "b", "c", "d")
    assert mine.folds == (("a",), ("b",), ("c",), ("d",))
    assert databases.read("clinic:b", (mine,)).name == "clinic:b"


def test_a_record_of_the_same_number_keeps_its_databases_name(tmp_path: Path) -> None:
    write_record(tmp_path / "clinic", "100")
    assert databases.database(str(tmp_path / "clinic")).full("100") == "clinic:100"
    assert MITDB.full("100") == "100"


@pytest.mark.parametrize(
    ("given", "said"),
    [("nowhere", "there is no folder nowhere: give one .* or one of mitdb, svdb"), (".", "holds no annotated records")],
)
def test_what_is_no_database_is_one_sentence(
    given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        databases.database(given)


def test_a_record_that_is_not_there_says_which_variable_helps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECG_SVDB", str(tmp_path))
    with pytest.raises(UserError, match=r"record 802 of svdb is not in .*ECG_SVDB"):
        databases.read("svdb:802")
    with pytest.raises(UserError, match=r"no database 'xdb' is known; there are mitdb, svdb"):
        databases.read("xdb:1")
