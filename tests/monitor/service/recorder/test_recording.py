"""The recorder beside a running service: it takes what comes, and never keeps it waiting."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecg.records.record import MISSING
from monitor.link.protocol import Acknowledge, Show, Silence
from monitor.service.recorder import recorder as module
from monitor.service.recorder.recorder import Recorder
from monitor.service.recorder.writer import Batch, Writer
from tests.support.recording import RATE, second, settings, taken
from tests.support.wards import EXCERPT, Run, messages, part


def test_all_that_was_handed_over_is_on_the_disk_at_the_end(tmp_path: Path) -> None:
    recorder = Recorder(settings(tmp_path))
    for number in range(5):
        batch = second(number, 2)
        for one in batch.signal:
            recorder.heard(one)
        recorder.take([event for event, _ in batch.events])
    recorder.command(Acknowledge("bed-0", "pause"))
    recorder.command(Silence("bed-0", 60))
    recorder.command(Show(["bed-0"]))
    recorder.close()
    assert (recorder.lost, recorder.problem) == (0, "")
    with sqlite3.connect(tmp_path / "events.sqlite") as base:
        found = base.execute("SELECT bed, what, detail FROM commands").fetchall()
        assert base.execute("SELECT count(*) FROM beats").fetchone() == (10,)
    assert found == [("bed-0", "acknowledge", "pause"), ("bed-0", "silence", "60")]
    assert {wfdb.rdheader(str(file.with_suffix(""))).sig_len for file in tmp_path.glob("*.hea")} == {5 * RATE}


def test_it_writes_at_least_once_a_second(tmp_path: Path) -> None:
    assert module.EVERY_SECONDS < 1.0
    recorder = Recorder(settings(tmp_path), every_s=0.01)
    wrote = threading.Event()
    writer = recorder._writer
    real = writer.write

    def write(batch: Batch) -> None:
        real(batch)
        if batch.signal:
            wrote.set()

    writer.write = write  # type: ignore[method-assign]
    recorder.heard(taken(0, 0, 100))
    assert wrote.wait(20)
    recorder.close()


def test_a_disk_that_stands_still_costs_signal_and_not_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stands, begun = threading.Event(), threading.Event()

    def slow(self: Writer, batch: object) -> None:
        begun.set()
        stands.wait(30)

    monkeypatch.setattr(Writer, "write", slow)
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    recorder = Recorder(settings(tmp_path), every_s=0.0)
    assert begun.wait(20)
    for number in range(10):
        recorder.heard(taken(0, number * 100, (number + 1) * 100))
    assert recorder.lost == 8 * 100
    recorder.close(0.01)
    stands.set()


def test_a_failure_that_nobody_foresaw_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Writer, batch: object) -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(Writer, "write", broken)
    recorder = Recorder(settings(tmp_path), every_s=0.0)
    recorder._thread.join(20)
    assert recorder.problem == "the recorder failed (ZeroDivisionError: odd): nothing is recorded any more"
    recorder.heard(taken(0, 0, 100))
    assert recorder.lost == 100


def test_a_ward_is_recorded_as_it_hears_and_reads(tmp_path: Path) -> None:
    recorder, run = Recorder(settings(tmp_path)), Run()
    run.ward.heard = recorder.heard
    whole = part(EXCERPT, 0, 12_000)
    for number, wave in enumerate(messages(whole, list(range(500, 12_000, 500)))):
        if number != 7:
            run.ward.wave("a", wave, 10**18)
        recorder.take(run.step())
    run.ward.end_all()
    recorder.take(run.step())
    recorder.close()
    (name,) = [file.stem for file in tmp_path.glob("*.hea")]
    read = wfdb.rdrecord(str(tmp_path / name), physical=False)
    expected = whole.samples.copy()
    expected[3500:4000] = MISSING
    assert np.array_equal(read.d_signal, expected)
    assert (read.fs, read.sig_name, read.adc_gain) == (whole.rate, ["MLII"], whole.gain.tolist())
    notes = wfdb.rdann(str(tmp_path / name), "atr")
    letters = [(at, symbol) for at, symbol in zip(notes.sample, notes.symbol, strict=True) if symbol != '"']
    assert letters == [(beat.index, beat.cls) for beat in run.beats]
    assert len(letters) > 20
