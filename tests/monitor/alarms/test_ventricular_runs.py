"""Runs of V judged by all their beats, alarms that return, and rates that the other lead denies or shows alone."""

from __future__ import annotations

import pytest

from ecg.settings import AlarmSettings
from monitor.alarms import BedAlarms, Change, Evidence, Sign

RATE = 100.0
SETTINGS = AlarmSettings()
NORMAL = Evidence(0.0, 0.98, 0.98)
WIDE = Evidence(0.9, -0.4, -0.3)
SECOND = Sign(0, second=True)


def told(bed: BedAlarms, beats: list[tuple[int, str, Evidence]]) -> list[Change]:
    return [change for index, cls, evidence in beats for change in bed.beat(index, cls, evidence)]


def rhythm(begin: int, count: int, interval: int, cls: str, evidence: Evidence) -> list[tuple[int, str, Evidence]]:
    return [(begin + interval * k, cls, evidence) for k in range(count)]


def kinds(changes: list[Change], what: str = "onset") -> list[str]:
    return [change.kind for change in changes if change.what == what]


def test_an_even_run_of_wide_beats_is_a_tachycardia_even_where_one_letter_is_wrong() -> None:
    for letters in ("VVVVVV", "VVVNVV", "VSVVVV"):
        bed = BedAlarms(SETTINGS, RATE)
        beats = rhythm(100, 20, 80, "N", NORMAL)
        beats += [
            (1700 + 40 * k, cls, WIDE if cls == "V" else Evidence(0.3, 0.1, 0.2)) for k, cls in enumerate(letters)
        ]
        assert "ventricular_tachycardia" in kinds(told(bed, beats))


@pytest.mark.parametrize(
    "evidence", [Evidence(0.4, 0.97, 0.2), Evidence(0.4, 0.2, 0.97)], ids=["usual-in-first", "usual-in-second"]
)
def test_beats_of_the_usual_shape_in_either_lead_are_no_tachycardia(evidence: Evidence) -> None:
    bed = BedAlarms(SETTINGS, RATE)
    raised = kinds(told(bed, rhythm(100, 20, 80, "N", NORMAL) + rhythm(1700, 8, 40, "V", evidence)))
    assert raised == ["tachycardia"]


def test_v_at_uneven_intervals_are_noise_and_no_tachycardia() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    uneven = [(1700 + at, "V", WIDE) for at in (0, 20, 90, 110, 150, 220)]
    assert "ventricular_tachycardia" not in kinds(told(bed, rhythm(100, 20, 80, "N", NORMAL) + uneven))


def test_letters_without_evidence_are_believed() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    assert "ventricular_tachycardia" in kinds(told(bed, rhythm(100, 6, 40, "V", Evidence())))


def test_a_tachycardia_that_returns_within_a_minute_while_it_is_shown_is_one_message() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    first = told(bed, rhythm(100, 8, 40, "V", WIDE) + rhythm(420, 6, 80, "N", NORMAL))
    second = told(bed, rhythm(940, 8, 40, "V", WIDE) + rhythm(1260, 6, 80, "N", NORMAL))
    assert "ventricular_tachycardia" in kinds(first)
    assert "ventricular_tachycardia" in kinds(second, "again")
    assert bed.state.episodes["ventricular_tachycardia"].times == 2
    bed.acknowledge()
    third = told(bed, rhythm(1740, 8, 40, "V", WIDE))
    assert "ventricular_tachycardia" in kinds(third)
    assert bed.state.episodes["ventricular_tachycardia"].times == 1


def test_a_good_second_lead_denies_a_bradycardia_of_missed_beats_and_shows_a_tachycardia_alone() -> None:
    slow, fast = BedAlarms(SETTINGS, RATE), BedAlarms(SETTINGS, RATE)
    for bed in (slow, fast):
        bed.sign(SECOND)
    for index in range(80, 3000, 80):
        slow.detected(index)
    assert "extreme_bradycardia" not in kinds(told(slow, rhythm(100, 15, 190, "N", NORMAL)))
    for index in range(30, 3000, 30):
        fast.detected(index)
    assert "extreme_tachycardia" in kinds(told(fast, rhythm(100, 15, 80, "N", NORMAL)) + fast.clock(2900))


def test_a_brisk_pulse_denies_an_extreme_bradycardia_and_noise_any() -> None:
    for sign in (Sign(0, alive=True, brisk=True), Sign(0, noisy=True)):
        bed = BedAlarms(SETTINGS, RATE)
        bed.sign(sign)
        assert "extreme_bradycardia" not in kinds(told(bed, rhythm(100, 15, 190, "N", NORMAL)))
    bed = BedAlarms(SETTINGS, RATE)
    assert "extreme_bradycardia" in kinds(told(bed, rhythm(100, 15, 190, "N", NORMAL)))


RUN = [*rhythm(100, 20, 80, "N", NORMAL), *rhythm(1700, 8, 40, "V", WIDE)]
"""Twenty N at 75/min, eight V at 150/min."""


def test_a_steady_pulse_that_is_far_slower_denies_a_tachycardia_and_one_that_keeps_up_does_not() -> None:
    for rate, raised in ((75, False), (150, True), (0, True)):
        bed = BedAlarms(SETTINGS, RATE)
        bed.sign(Sign(0, alive=rate > 0, steady=rate))
        assert ("ventricular_tachycardia" in kinds(told(bed, RUN) + bed.clock(2300))) == raised


def test_a_tachycardia_is_raised_with_its_onset_once_the_pulse_that_denied_it_is_lost() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    bed.sign(Sign(0, alive=True, steady=75))
    short = RUN[:26]  # six V, the last at sample 1900
    bed.sign(Sign(1960))
    changes = told(bed, [*short, *rhythm(2000, 4, 80, "N", NORMAL)])
    found = [(one.what, one.index, one.onset) for one in changes if one.kind == "ventricular_tachycardia"]
    assert found[0] == ("onset", 1960, 1700)
    assert [what for what, *_ in found] == ["onset", "end"]


def test_a_pulse_that_goes_on_for_long_enough_denies_a_tachycardia_for_good() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    bed.sign(Sign(0, alive=True, steady=75))
    bed.sign(Sign(2100))
    assert "ventricular_tachycardia" not in kinds(told(bed, [*RUN[:26], *rhythm(1980, 6, 80, "N", NORMAL)]))


def test_a_slow_steady_pulse_denies_a_fast_rate_in_either_lead() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    bed.sign(Sign(0, alive=True, brisk=True, steady=80, second=True))
    for index in range(30, 1500, 30):
        bed.detected(index)
    assert kinds(told(bed, rhythm(100, 40, 35, "N", NORMAL)) + bed.clock(1500)) == []


def test_a_run_that_one_lead_shows_is_none_where_the_beats_are_the_usual_ones() -> None:
    for evidence, raised in ((Evidence(0.02, 0.95, 0.9), False), (Evidence(0.02, 0.3, 0.9), True)):
        bed = BedAlarms(SETTINGS, RATE)
        beats = [*rhythm(100, 20, 80, "N", NORMAL), *rhythm(1700, 8, 55, "N", evidence)]
        bed.sign(Sign(1990, run=1700))
        assert ("ventricular_tachycardia" in kinds(told(bed, beats))) == raised


def test_irregular_beats_with_p_waves_are_no_fibrillation_of_the_atria_and_p_waves_end_one() -> None:
    def irregular(begin: int, count: int, atrial: float) -> list[tuple[int, str, Evidence]]:
        places = [begin]
        for k in range(count):
            places.append(places[-1] + 55 + 37 * ((7 * k * k + 3 * k) % 13) // 13)
        return [(place, "N", Evidence(0.0, 0.98, 0.98, atrial)) for place in places]

    with_p, without = BedAlarms(SETTINGS, RATE), BedAlarms(SETTINGS, RATE)
    assert "atrial_fibrillation" not in kinds(told(with_p, irregular(100, 80, 0.6)))
    beats = irregular(100, 80, 0.0)
    assert "atrial_fibrillation" in kinds(told(without, beats))
    assert "atrial_fibrillation" in kinds(told(without, irregular(beats[-1][0] + 70, 20, 0.6)), "end")
