"""Scenarios: those of the package, those of a file, and random wards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.rhythms import scenario, wards
from ecg.rhythms.simulation.catalogue import RHYTHMS
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.simulation import Simulation

STEP = '\n[[step]]\nfor = 10\nrhythm = "sinus"\n'


def simulated(told: scenario.Scenario, seed: str = "s") -> Simulation:
    """The scenario with all its leads at its own rate."""
    rate = told.rate_hz
    return Simulation(rate=rate, names=tuple(told.leads), seed=seed, script=Script(told.steps(rate), told.period(rate)))


def test_there_are_twenty_scenarios_and_more() -> None:
    assert len(scenario.names()) >= 20


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_of_the_package_plays_to_its_end(name: str) -> None:
    told = scenario.load(name)
    assert told.title and told.about and told.name == name
    simulation = simulated(told)
    length = int(sum(float(step.seconds or 5) for step in told.step) * told.rate_hz)
    chunk = simulation.next(length)
    assert np.isfinite(chunk.samples).all()
    wanted = [RHYTHMS[step.rhythm].label for step in told.step if step.rhythm is not None]
    heard = [mark.rhythm for mark in chunk.marks if mark.symbol == "+"]
    assert set(wanted) <= set(heard)


def test_a_scenario_is_found_by_the_name_that_people_say() -> None:
    assert scenario.load("Stable sinus") == scenario.load("stable-sinus") == scenario.load("stable_sinus")


def test_steps_begin_when_those_before_them_are_over() -> None:
    text = 'title = "t"\n[[step]]\nfor = "1 min 30 s"\n[[step]]\nfor = "2 min"\nrate = 90\n[[step]]\nrate = 50\n'
    told = scenario.parse(text, "t", "t")
    assert [(index, orders.rate) for index, orders in told.steps(100)] == [(0, None), (9000, 90), (21000, 50)]
    assert told.seconds is None


def test_repeated_steps_come_again_at_the_sample_where_they_end() -> None:
    text = (
        'title = "t"\nthen = "repeat"\nleads = ["II"]\n[[step]]\nfor = 7\nrhythm = "sinus"\n[[step]]\nfor = 3.5\n'
        'rhythm = "asystole"\n'
    )
    marks = simulated(scenario.parse(text, "t", "t")).next(250 * 32).marks
    begins = [mark.index for mark in marks if mark.rhythm == "(ASYS" and mark.symbol == "+"]
    ahead = round(0.35 * 250)
    assert begins == pytest.approx([1750 + ahead, 4375 + ahead, 7000 + ahead], abs=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "t"\n[[step]\n', "line 2"),
        ('title = "t"\n', "missing required field `step`"),
        ("" + STEP, "missing required field `title`"),
        ('title = "t"' + STEP + "spped = 3\n", "step 1: .*spped"),
        ('title = "t"' + STEP + STEP + 'rate = "fast"\n', "step 2, rate"),
        ('title = "t"' + STEP + "rate = 400\n", "step 1: rate = 400 cannot be: give 15 to 300 1/min"),
        ('title = "t"' + STEP + "rate = 250\n", "step 1: rate = 250 is not one of rhythm 'sinus': give 20 to 180/min"),
        ('title = "t"' + STEP + STEP.replace("sinus", "vtt"), "step 2: rhythm = 'vtt' is not known"),
        ('title = "t"' + STEP.replace("for = 10\n", "") + STEP, "step 1 has no length"),
        ('title = "t"' + STEP.replace("10", '"soon"'), "step 1: for = 'soon' is no length of time"),
        ('title = "t"' + STEP.replace("10", "-3"), "step 1: for = -3"),
        ('title = "t"' + STEP + "artefacts = { hum = 1 }\n", "artefact 'hum' is not known"),
        ('title = "t"' + STEP + "artefacts = { muscle = 99 }\n", "step 1, artefacts"),
        ('title = "t"' + STEP + 'off = ["V5"]\n', "no lead 'V5' to fall off: this bed has II, V1, PLETH"),
        ('title = "t"\nleads = ["V9"]' + STEP, "leads: 'V9' cannot be simulated"),
        ('title = "t"\nleads = ["ABP"]' + STEP, "at least one ECG lead"),
        ('title = "t"\nthen = "repeat"\n[[step]]\nrate = 60\n', "needs a length of the last step"),
        ('title = "t"\nthen = "repeat"\n[[step]]\nfor = 0.1\n', "too short to repeat"),
        ('title = "t"\nrate_hz = 20' + STEP, "rate_hz"),
        ('title = "t"' + STEP + "rate = nan\n", "rate = nan cannot be"),
        ('title = "t"' + STEP + "over = inf\n", "over"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        scenario.parse(text, "t", "t.toml")
    assert "\n" not in str(caught.value) and str(caught.value).startswith("t.toml")


def test_a_scenario_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no scenario 'vt-storm': give a \.toml file or one of .*stable-sinus"):
        scenario.load("vt-storm")
    with pytest.raises(UserError, match=r"none\.toml cannot be read"):
        scenario.load(str(tmp_path / "none.toml"))
    (tmp_path / "mine.toml").write_text('title = "Mine"' + STEP, encoding="utf-8")
    assert scenario.load(str(tmp_path / "mine.toml")).name == "mine"


def test_a_ward_is_the_same_for_the_same_seed_and_has_the_shares_it_should_have() -> None:
    ward = [wards.patient(7, number) for number in range(1500)]
    assert (
        ward[:50]
        == [wards.patient(7, number) for number in range(50)]
        != [wards.patient(8, number) for number in range(50)]
    )
    found = Counter(patient.step[0].rhythm for patient in ward)
    for name, share in wards.RHYTHM_SHARES:
        spread = 4 * (share * (1 - share) / len(ward)) ** 0.5
        assert found[name] / len(ward) == pytest.approx(
            share / sum(s for _, s in wards.RHYTHM_SHARES), abs=spread + 1e-3
        )


@pytest.mark.parametrize("number", range(12))
def test_every_patient_of_a_ward_is_a_scenario_that_a_file_could_hold(number: int) -> None:
    told = wards.patient(3, number)
    assert scenario._checked(told, "ward") == told
    assert np.isfinite(simulated(told).next(250 * 30).samples).all()
