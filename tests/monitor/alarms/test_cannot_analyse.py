"""The technical alarm of a bed in which nothing can be analysed, and what noise holds back."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from ecg.settings import AlarmSettings
from ecg.signal.quality import Fault
from monitor.alarms import BedAlarms, Change, Sign
from tests.monitor.alarms.test_witnesses import BEATS, EXCERPT, RATE, Patient, line

HZ = 100.0
SETTINGS = AlarmSettings()
MUSCLE = int(Fault.MUSCLE)


def noisy(index: int, faults: int = MUSCLE) -> Sign:
    return Sign(index, noisy=True, faults=faults)


def beats(bed: BedAlarms, since: int, until: int, every: int) -> list[Change]:
    return [change for index in range(since, until, every) for change in bed.beat(index, "N")]


def told(changes: list[Change], what: str) -> list[tuple[str, int]]:
    return [(change.kind, change.index) for change in changes if change.what == what]


def test_noise_for_ten_seconds_is_said_with_its_reason_and_ends_two_seconds_after_it() -> None:
    bed = BedAlarms(SETTINGS, HZ)
    changes = [*bed.sign(noisy(1000, MUSCLE | int(Fault.WANDER))), *bed.sign(Sign(3000))]
    changes += beats(bed, 0, 4000, 80)
    assert told(changes, "onset") == [("cannot_analyse", 2000)]
    assert [change.onset for change in changes if change.what == "onset"] == [1000]
    assert told(changes, "end") == [("cannot_analyse", 3200)]
    again = BedAlarms(SETTINGS, HZ)
    again.sign(noisy(1000, MUSCLE | int(Fault.WANDER)))
    beats(again, 0, 2100, 80)
    (alarm,) = again.active()
    assert (alarm.text, alarm.priority) == (
        "ECG cannot be analysed: noise (muscle or mains, baseline wander)",
        "medium",
    )


def test_moments_that_can_be_read_do_not_begin_the_count_anew_and_two_seconds_do() -> None:
    bed = BedAlarms(SETTINGS, HZ)
    for sign in (noisy(1000), Sign(1500), noisy(1650), Sign(1800), noisy(2100)):
        bed.sign(sign)
    changes = beats(bed, 0, 3400, 80)
    assert told(changes, "onset") == [("cannot_analyse", 3100)]


def test_leads_that_are_all_off_cannot_be_analysed_either() -> None:
    bed = BedAlarms(SETTINGS, HZ)
    bed.sign(Sign(1000, lead_off=True))
    changes = [*beats(bed, 0, 1000, 80), *bed.clock(2000)]
    assert told(changes, "onset") == [("lead_off", 1000), ("cannot_analyse", 2000)]
    assert [alarm.text for alarm in bed.active()] == ["ECG cannot be analysed: all leads off"]


def test_an_asystole_stands_before_it_and_is_not_ended_by_it() -> None:
    bed = BedAlarms(SETTINGS, HZ)
    bed.sign(noisy(1700))
    changes = [*beats(bed, 0, 1000, 80), *bed.clock(3000)]
    assert {"asystole", "cannot_analyse"} <= {kind for kind, _ in told(changes, "onset")}
    assert [alarm.kind for alarm in bed.active()] == ["asystole", "cannot_analyse"]
    assert not [alarm for alarm in bed.active() if alarm.latched]


def test_what_noise_holds_back_is_counted_once_a_spell() -> None:
    bed = BedAlarms(SETTINGS, HZ)
    signs = [noisy(900), Sign(2000), noisy(3000), Sign(4000)]
    changes = [change for sign in signs for change in bed.sign(sign)]
    changes += beats(bed, 0, 1000, 80)  # then nothing for 7 s, in noise
    changes += [*beats(bed, 1700, 2900, 80), *beats(bed, 2900, 3900, 40), *bed.clock(4000)]
    held = [change for change in changes if change.what == "held"]
    slow = ["bradycardia", "extreme_bradycardia", "pause", "asystole"]
    assert sorted(change.kind for change in held) == sorted([*slow, "tachycardia"])
    assert bed.state.held == 5
    assert not {"asystole", "pause", "tachycardia"} & {kind for kind, _ in told(changes, "onset")}


def test_a_run_in_noise_is_held_back_where_its_beats_say_how_sure_they_are() -> None:
    from monitor.alarms import Evidence

    bed = BedAlarms(SETTINGS, HZ)
    bed.sign(noisy(900))
    beats(bed, 0, 960, 80)
    changes = [one for index in range(1000, 1240, 40) for one in bed.beat(index, "V", Evidence(0.9, 0.1, 0.1))]
    assert [change.kind for change in changes if change.what == "held"] == ["nonsustained_vt"]


@pytest.mark.parametrize("noise", [False, True])
def test_beats_in_noise_are_no_evidence_of_fibrillating_atria(noise: bool) -> None:
    bed = BedAlarms(msgspec.structs.replace(SETTINGS, cannot_analyse=False), HZ)
    if noise:
        bed.sign(noisy(500))
    at, kinds = 0, set()
    for number in range(80):
        at += 55 + 37 * ((7 * number * number + 3 * number) % 13) // 13
        kinds |= {change.kind for change in bed.beat(at, "N") if change.what == "onset"}
    assert ("atrial_fibrillation" in kinds) != noise


def test_white_noise_and_a_rail_that_trembles_cannot_be_analysed_and_a_silent_line_is_asystole() -> None:
    rng = np.random.default_rng(3)
    noise = (0.8 * rng.standard_normal(round(16 * RATE))).astype(np.float32)
    for spoilt, why in ((noise, "muscle or mains"), (np.clip(20 * noise, -5, 5), "muscle or mains")):
        patient = Patient()
        first = np.concatenate((BEATS, spoilt))
        raised = patient.whole(first, np.concatenate((EXCERPT[: len(BEATS)], spoilt[::-1])))
        assert "cannot_analyse" in raised
        (alarm,) = [one for one in patient.ward.active(0) if one.kind == "cannot_analyse"]
        assert why in alarm.text
        assert patient.ward.sign(0).noisy
    silent = Patient()
    raised = silent.whole(np.concatenate((BEATS, line(16))))
    assert "asystole" in raised
    assert "cannot_analyse" not in raised
