"""A recording read again, replayed, and exported."""

from __future__ import annotations

import json
from pathlib import Path

import edfio
import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records.gaps import RECORDED, gaps
from ecg.records.record import MISSING
from ecg.settings import Config
from monitor import cli
from monitor.evaluation import recorded
from monitor.service.recorder.recorder import Recorder
from producer.sources.records import Bed
from tests.support.recording import settings
from tests.support.wards import CARD, EXCERPT, WEIGHTS, Run, alarm_story, messages, part, same

MINUTE = part(EXCERPT, 0, 15_360)
LOST = (9, 10, 11, 12, 13, 14, 15, 16, 17, 30)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A minute of which some messages never came, as recorded, and what the ward made of it."""
    folder = tmp_path_factory.mktemp("recorded")
    recorder, run = Recorder(settings(folder)), Run()
    run.ward.heard = recorder.heard
    for number, wave in enumerate(messages(MINUTE, list(range(256, 15_360, 256)))):
        if number not in LOST:
            run.ward.wave("a", wave, 10**18)
        recorder.take(run.step())
    run.ward.end_all()
    recorder.take(run.step())
    recorder.close()
    (header,) = folder.glob("*.hea")
    return header, run


def test_the_gaps_are_those_of_the_signal(recording: tuple[Path, Run]) -> None:
    record = recorded.find(recording[0])
    assert record.source == RECORDED
    assert gaps(record) == [(9 * 256, 18 * 256), (30 * 256, 31 * 256)]


@pytest.mark.parametrize("chunk_seconds", [0.25, 1.0, 7.0])
def test_a_producer_replays_it_as_it_was(recording: tuple[Path, Run], chunk_seconds: float) -> None:
    path, before = recording
    record = recorded.find(path)
    bed = Bed(name="a", record=record, columns=[0], chunk_seconds=chunk_seconds, run="again")
    after = Run()
    while not bed.done:
        wave, _ = bed.next(0)
        if wave is not None:
            after.ward.wave("a", wave, 10**18)
            after.step()
    after.finish()
    same(before.beats, after.beats)
    assert [(one.index, one.reason, one.seconds) for one in after.resets] == [
        (one.index, one.reason, one.seconds) for one in before.resets
    ]
    assert alarm_story(after, "a") == alarm_story(before, "a")
    lost = (before.ward.ledger.lost, after.ward.ledger.lost)
    assert lost == (len(LOST) * 256,) * 2


def test_the_same_network_gives_the_same_letters(recording: tuple[Path, Run]) -> None:
    path, before = recording
    found = recorded.read_again(recorded.find(path), Config(), WEIGHTS, "cpu", CARD.doubt)
    assert found.agreement == 1.0
    assert [(pair.index, pair.recorded, pair.now) for pair in found.pairs] == [
        (beat.index, beat.cls, beat.cls) for beat in before.beats
    ]


def test_letters_that_differ_and_beats_of_one_side_are_told(recording: tuple[Path, Run]) -> None:
    path, before = recording
    beats = [beat for number, beat in enumerate(before.beats) if number != 2]
    record = recorded.find(path)
    assert record.annotations is not None
    record.annotations.symbol[record.annotations.index == beats[0].index] = "Q"
    found = recorded.compare(record, beats)
    assert found.table["Q", beats[0].cls] == 1
    assert found.table[before.beats[2].cls, recorded.NONE] == 1
    assert found.agreement == (len(beats) - 1) / len(beats)


def test_the_command_prints_a_table_and_writes_json(
    recording: tuple[Path, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, before = recording
    assert cli.main(["replay", str(path.with_suffix("")), "--json", str(tmp_path / "r.json"), "--beats"]) == 0
    assert "100.00% of the beats of both have the same letter" in capsys.readouterr().out
    (told,) = json.loads((tmp_path / "r.json").read_text())
    assert (told["agreement"], len(told["beats"])) == (1.0, len(before.beats))


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.hea is not there"):
        cli.main(["replay", str(tmp_path / "nothing")])


def test_an_export_holds_signal_and_notes(recording: tuple[Path, Run], tmp_path: Path) -> None:
    path, before = recording
    assert cli.main(["export", str(path), "--edf", str(tmp_path / "r.edf")]) == 0
    read = edfio.read_edf(tmp_path / "r.edf")
    record = recorded.find(path)
    there = record.samples[:, 0] != MISSING
    (signal,) = read.signals
    assert (signal.label, signal.sampling_frequency, signal.physical_dimension) == ("MLII", record.rate, "mV")
    shown = signal.data[: len(there)]
    assert np.abs(shown[there] - record.millivolts(0)[there]).max() < 1e-3
    assert (shown[~there] == signal.physical_min).all()
    texts = [note.text for note in read.annotations]
    assert [text for text in texts if len(text) == 1] == [beat.cls for beat in before.beats]
    shown_alarms = [one for one in alarm_story(before, "a") if one.what in ("onset", "end") and not one.hidden]
    told = [text for text in texts if len(text) > 1]  # of those of one sample EDF+ has the order of the alphabet
    assert sorted(told) == sorted(f"{one.kind} {one.what}" for one in shown_alarms)
    assert read.annotations[0].onset == pytest.approx(before.beats[0].index / record.rate, abs=1e-3)


def test_a_rate_that_edf_does_not_know_is_refused(tmp_path: Path) -> None:
    from monitor.evaluation import edf

    odd = part(EXCERPT, 0, 1000)
    object.__setattr__(odd, "rate", 360.5)
    with pytest.raises(UserError, match="EDF wants a whole number"):
        edf.write(odd, [], tmp_path / "x.edf")
