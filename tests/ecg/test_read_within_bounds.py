"""Files that strangers may have written: read within bounds, whatever they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecg import settings, tokens
from ecg.errors import UserError
from ecg.files import read, read_text
from ecg.model import weights
from ecg.records import growing, opening, wfdb, wfdb_signals
from ecg.records.building import Signal
from ecg.rhythms import scenario
from ecg.settings import Config
from monitor.service import checkpoint
from monitor.ward.ward import Ward
from tests.support.wards import CARD, WEIGHTS


def endless(place: Path) -> Path:
    """A file without end under this name."""
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no /dev/zero")
    place.symlink_to("/dev/zero")
    return place


def sparse(place: Path, size: int) -> Path:
    """A file of that many bytes that takes no room."""
    with place.open("wb") as file:
        os.truncate(file.fileno(), size)
    return place


def test_a_file_is_read_as_far_as_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a\r\nb\rc\n")
    assert read(tmp_path / "a", 7) == b"a\r\nb\rc\n"
    assert read_text(tmp_path / "a") == "a\nb\nc\n"
    with pytest.raises(OSError, match="it is larger than 6 bytes"):
        read(tmp_path / "a", 6)


def test_nothing_that_reads_a_stranger_s_file_reads_one_without_end(tmp_path: Path) -> None:
    for name in ("c.toml", "p", "t", "s.toml", "w.safetensors", "r.hea", "g.hea", "memory"):
        endless(tmp_path / name)
    with pytest.raises(UserError, match=r"cannot read the settings in .*larger than 1 MiB"):
        settings.load(tmp_path / "c.toml", {})
    (tmp_path / "own.toml").write_text(f'[mqtt]\npassword_file = "{tmp_path / "p"}"\n')
    with pytest.raises(UserError, match=r"cannot read .*password_file .*larger than 1 MiB"):
        settings.load(tmp_path / "own.toml", {})
    with pytest.raises(UserError, match=r"cannot read token .*larger than 1 MiB"):
        tokens.read(str(tmp_path / "t"), "token")
    with pytest.raises(UserError, match=r"the scenario .* cannot be read: .*larger than 1 MiB"):
        scenario.load(str(tmp_path / "s.toml"))
    with pytest.raises(OSError, match="larger than 1 MiB"):
        growing.opened(tmp_path, "g")
    with pytest.raises(UserError, match=r"record .* cannot be read: .*larger than 16 MiB"):
        wfdb.read(tmp_path / "r")


def test_neither_do_weights_and_memories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MOST_WEIGHTS", 1 << 20)
    with pytest.raises(UserError, match=r"cannot read .*w.safetensors: it is larger than 1 MiB"):
        weights.load(endless(tmp_path / "w.safetensors"))
    monkeypatch.setattr(checkpoint, "MOST_BYTES", 1 << 20)
    ward = Ward(Config(), WEIGHTS, CARD.name, "cpu")
    said = checkpoint.load(ward, endless(tmp_path / "memory"))
    assert "cannot be read (it is larger than 1 MiB): all beds start fresh" in said


def test_data_files_are_ordinary_and_not_too_large(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        opening.open_records(endless(tmp_path / "a.csv"))
    with pytest.raises(UserError, match="larger than 4 GiB: cut it into records"):
        opening.open_records(sparse(tmp_path / "b.csv", opening.MOST_BYTES + 1))
    (tmp_path / "r.hea").write_text("r 1 360 4\nr.dat 16 200 16 0 0 0 0 MLII\n")
    (tmp_path / "r.dat").write_bytes(bytes(8))
    sparse(tmp_path / "r.atr", wfdb.MOST_ANNOTATIONS + 1)
    with pytest.raises(UserError, match=r"the annotations .*r.atr cannot be read: it is larger than 64 MiB"):
        wfdb.read(tmp_path / "r")


def test_a_segment_that_stands_in_a_header_many_times_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.hea").write_text("s 1 360 4\ns.dat 16 200 16 0 0 0 0 MLII\n")
    (tmp_path / "s.dat").write_bytes(bytes(8))
    (tmp_path / "m.hea").write_text("m/50 1 360 200\n" + 50 * "s 4\n")
    real, count = wfdb_signals.read_signals, 0

    def counted(path: Path) -> list[Signal]:
        nonlocal count
        count += 1
        return real(path)

    monkeypatch.setattr(wfdb_signals, "read_signals", counted)
    assert len(wfdb.read(tmp_path / "m").samples) == 200
    assert count == 1
