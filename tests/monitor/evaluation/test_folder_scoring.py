"""Alarms scored on folders without annotated beats: Challenge 2015, rhythm labels, noise. Small made-up records."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records import library, wfdb
from ecg.records.record import Annotations, Record
from monitor.evaluation import challenge, noise, rhythms
from monitor.evaluation.command import run
from monitor.evaluation.replay import Heard, Raised, narrowed

RATE = 250.0


def made(name: str, seconds: float, **changes: object) -> Record:
    """A line that drifts and has no beat: the lead is on."""
    place = np.arange(round(seconds * RATE)) / RATE
    samples = np.rint(10 * np.sin(2 * np.pi * 0.3 * place)).astype(np.int16)[:, None]
    record = Record(
        name=name,
        rate=RATE,
        leads=("II",),
        gain=np.array([200.0]),
        baseline=np.array([0.0]),
        samples=samples,
        source="wfdb",
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def labelled(name: str, seconds: float, *labels: tuple[float, str]) -> Record:
    """The same with rhythm labels from these seconds on."""
    index = np.array([round(at * RATE) for at, _ in labels])
    names = np.array([label for _, label in labels])
    return made(name, seconds, annotations=Annotations(index, np.full(len(labels), "+"), names))


def raised(kind: str, onset: float, over: float, at: float) -> Raised:
    """An alarm by seconds."""
    return Raised(kind, round(onset * RATE), round(over * RATE), round(at * RATE))


def alarms_file(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ALARMS").write_text(text, encoding="utf-8")
    return folder


def test_the_score_is_the_challenges_and_a_missed_true_alarm_weighs_five() -> None:
    said = [("a", True), ("b", True), ("c", False), ("d", False)]
    alarms = [challenge.Judged(name, "asystole", true) for name, true in said]
    records = [made(name, 300.0) for name, _ in said]
    one = raised("asystole", 294, 298, 298)
    heard = [Heard([], [one]), Heard([], []), Heard([], [one]), Heard([], [])]
    numbers = challenge.evaluate(alarms, records, heard)
    assert numbers["kinds"]["asystole"] == {"true": 2, "met": 1, "false": 2, "repeated": 1, "score": 2 / 8}
    assert numbers["all"]["score"] == 2 / 8
    assert numbers["kinds"]["fibrillation"]["score"] is None


def test_an_alarm_counts_where_its_episode_reaches_into_the_last_ten_seconds_and_its_kind_is_the_same() -> None:
    alarms = [challenge.Judged("a", "ventricular_tachycardia", True)] * 4
    records = [made("a", 300.0)] * 4
    kind = "ventricular_tachycardia"
    early, lasting = raised(kind, 280, 289, 283), raised(kind, 280, 291, 283)
    other, low = raised("fibrillation", 292, 299, 296), raised("couplet", 295, 296, 296)
    numbers = challenge.evaluate(alarms, records, [Heard([], [one]) for one in (early, lasting, other, low)])
    assert [row["raised"] for row in numbers["records"]] == [[], [kind], ["fibrillation"], []]
    assert (numbers["all"]["met"], numbers["any_high"]["met"]) == (1, 2)
    hours = 4 * 290 / 3600
    assert numbers["before"]["hours"] == pytest.approx(hours)
    assert numbers["before"]["high_per_hour"] == pytest.approx(2 / hours)
    assert numbers["before"]["kinds"][kind] == pytest.approx(2 / hours)


@pytest.mark.parametrize("line", ["a,Asystole", "a,Sadness,1", "a,Asystole,2"])
def test_a_line_of_the_alarms_that_cannot_be_used_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError, match=r"ALARMS, line 2 is '" + line):
        challenge.judged(alarms_file(tmp_path, f"a,Asystole,1\n{line}\n"))


def test_a_folder_without_verdicts_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*ALARMS, which names each record's alarm"):
        run(["--challenge2015", str(tmp_path)])
    with pytest.raises(UserError, match="names no record"):
        challenge.judged(alarms_file(tmp_path, "\n"))


def test_nothing_after_five_minutes_is_heard(tmp_path: Path) -> None:
    wfdb.write(made("a", 330.0), alarms_file(tmp_path, "a,Asystole,1\n"))
    (_, (record,)) = challenge.read(tmp_path)
    assert record.seconds == 300.0


def test_the_command_scores_a_challenge_folder_through_the_ward(tmp_path: Path) -> None:
    """Beats that give way to a drifting line are an asystole to the end; the excerpt's beats, as they are, are none."""
    folder = alarms_file(tmp_path / "c", "silent,Asystole,1\nbeats,Asystole,0\n")
    beating = library.read("excerpt")
    samples = beating.samples.copy()
    stop = round(285 * beating.rate)
    drift = np.rint(10 * np.sin(2 * np.pi * 0.3 * np.arange(len(samples) - stop) / beating.rate))
    samples[stop:, 0] = samples[stop, 0] + drift.astype(np.int16)
    wfdb.write(replace(beating, name="beats"), folder)
    wfdb.write(replace(beating, name="silent", samples=samples), folder)
    file = tmp_path / "numbers.json"
    assert run(["--challenge2015", str(folder), "--json", str(file)]) == 0
    numbers = json.loads(file.read_text(encoding="utf-8"))["challenge2015"]
    assert numbers["kinds"]["asystole"] == {"true": 1, "met": 1, "false": 1, "repeated": 0, "score": 1.0}
    assert "asystole" in numbers["records"][0]["raised"]


def test_episodes_are_found_in_time_or_not_and_alarms_are_true_by_overlap() -> None:
    record = labelled(
        "a", 200.0, (0, "(N"), (50, "(VFL"), (60, "(VFIB"), (70, "(N"), (100, "(VT"), (104, "(N"), (150, "(VT")
    )
    heard = Heard(
        [],
        [
            raised("fibrillation", 52, 71, 56),
            raised("ventricular_tachycardia", 101, 103, 103),
            raised("fibrillation", 120, 130, 125),
            raised("ventricular_tachycardia", 165, 170, 168),
            raised("extreme_tachycardia", 151, 170, 154),
        ],
    )
    kinds = rhythms.evaluate([record], [heard])["kinds"]
    found = kinds["fibrillation"]
    assert (found["episodes"], found["in_time"], found["alarms"], found["true"]) == (1, 1, 2, 1)
    assert found["false_in"] == {"(N": 1}
    assert found["delay_median_s"] == pytest.approx(6.55, abs=0.1)
    assert found["time_sensitivity"] == pytest.approx(18 / 20, abs=0.001)
    tachycardia = kinds["ventricular_tachycardia"]
    assert tachycardia["episodes"] == 1  # the other VT lasts 4 s
    assert (tachycardia["in_time"], tachycardia["in_time_any_high"]) == (0, 1)
    assert (tachycardia["alarms"], tachycardia["true"]) == (2, 2)


def test_a_label_nobody_knows_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wfdb.write(labelled("a", 30.0, (0, "(N"), (10, "(XYZ")), tmp_path)
    assert run(["--rhythms", str(tmp_path)]) == 0
    assert "Labels not known, so asked of no alarm: (XYZ" in capsys.readouterr().out


def test_records_without_rhythm_labels_and_labels_without_beats_are_one_sentence(tmp_path: Path) -> None:
    wfdb.write(made("a", 30.0), tmp_path / "bare")
    with pytest.raises(UserError, match=r"record a in .* has no rhythm labels"):
        run(["--rhythms", str(tmp_path / "bare")])
    wfdb.write(labelled("b", 30.0, (0, "(N")), tmp_path / "labels")
    with pytest.raises(UserError, match="record b has no annotated beats; score its rhythm labels with --rhythms"):
        run(["b", "--data", str(tmp_path / "labels"), "--reference-only"])


def test_noise_is_every_lead_of_a_record_without_beats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = made("n", 30.0)
    samples = np.concatenate((two.samples, 2 * two.samples), axis=1)
    wfdb.write(
        replace(two, leads=("one", "two"), gain=np.full(2, 200.0), baseline=np.zeros(2), samples=samples), tmp_path
    )
    beats = Annotations(np.array([5]), np.array(["N"]), np.array([""]))
    wfdb.write(made("heart", 30.0, annotations=beats), tmp_path)
    leads, others = noise.read(tmp_path)
    assert ([lead.name for lead in leads], others) == (["n one", "n two"], ["heart"])
    assert np.array_equal(leads[1].samples, 2 * leads[0].samples)
    numbers = noise.evaluate(leads, [Heard([], [raised("asystole", 0, 20, 4)]), Heard([], [])])
    assert numbers["high_per_hour"] == numbers["kinds"]["asystole"] == pytest.approx(60)
    assert run(["--noise", str(tmp_path)]) == 0
    assert "Left out, for they have annotated beats: heart" in capsys.readouterr().out


def test_a_folder_comes_from_its_variable_and_is_asked_for_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECG_NSTDB", raising=False)
    with pytest.raises(UserError, match=r"--noise names no folder: give one, or set \$ECG_NSTDB"):
        run(["--noise"])
    monkeypatch.setenv("ECG_NSTDB", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="nowhere is no folder"):
        run(["--noise"])
    with pytest.raises(UserError, match="nothing to score"):
        run([])
    with pytest.raises(UserError, match="--reference-only scores annotated beats"):
        run(["--noise", str(tmp_path), "--reference-only"])


def test_records_of_any_folder_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beats = Annotations(np.arange(1, 29) * 250, np.full(28, "N"), np.full(28, ""))
    wfdb.write(made("x", 30.0, annotations=beats), tmp_path)
    assert run(["all", "--data", str(tmp_path), "--reference-only"]) == 0
    assert "all: reference beats, 1 record" in capsys.readouterr().out


def test_only_so_many_leads_and_no_pulse_are_heard_where_that_is_asked_for() -> None:
    lines = np.arange(4, dtype=np.int16) * np.ones((100, 4), np.int16)
    record = made(
        "a", 1.0, leads=("V", "II", "PLETH", "RESP"), gain=np.arange(1.0, 5.0), baseline=np.zeros(4), samples=lines
    )
    assert narrowed(record, 2, True).leads == ("V", "II", "PLETH")
    assert narrowed(record, 2, False).leads == ("V", "II")
    one = narrowed(record, 1, False)
    assert (one.leads, one.gain.tolist(), one.samples[0].tolist()) == (("II",), [2.0], [1])
    assert narrowed(one, 1, True) is one
