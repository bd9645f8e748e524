from __future__ import annotations

import msgspec
import pytest

from ecg.profiles import PROFILES
from ecg.records.aami import CLASS_OF
from ecg.rhythms.simulation.orders import Orders
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.simulation import Simulation
from ecg.settings import AlarmSettings
from monitor.alarms import GRAVER, KINDS, PRIORITY, BedAlarms, Change, Sign
from monitor.alarms.irregular import began, ended
from monitor.alarms.state import UNKNOWN, Evidence

RATE = 100.0
SETTINGS = AlarmSettings()


def tell(bed: BedAlarms, rhythm: str, start: float = 0.0) -> list[Change]:
    """Beats from a text such as "N.8 V.4": class, then seconds since the beat before."""
    changes, now = [], start
    for word in rhythm.split():
        now += float(word[1:])
        changes += bed.beat(round(now * RATE), word[0])
    return changes


def onsets(changes: list[Change]) -> list[str]:
    return [change.kind for change in changes if change.what == "onset"]


def times(word: str, count: int) -> str:
    return " ".join([word] * count) + " "


STEADY = times("N.8", 12)


@pytest.mark.parametrize(
    ("rhythm", "expected"),
    [
        (times("N.8", 40), []),
        (STEADY + "V.7 N.8 " + STEADY, []),
        (STEADY + "V.7 V.6 N.8", ["couplet"]),
        (STEADY + "V.7 V.6 F.8", ["couplet"]),
        (STEADY + "V.7 V.4 V.4 N.8", ["nonsustained_vt"]),
        (STEADY + "V.7 V.4 V.4 V.4 V.4 N.8", ["nonsustained_vt"]),
        (STEADY + "V.7 V.6 V.6 N.8", ["ventricular_run"]),
        (STEADY + "V.7 V.6 V.6 V.4 V.4 N.8", ["ventricular_run", "nonsustained_vt", "ventricular_rhythm"]),
        (STEADY + "V.7 " + times("V.4", 5), ["nonsustained_vt", "ventricular_tachycardia"]),
        (STEADY + "V.7 " + times("V.46", 5), ["nonsustained_vt", "ventricular_tachycardia"]),  # 130.4/min
        (STEADY + "V.7 " + times("V.47", 5), ["ventricular_run", "ventricular_rhythm"]),  # 127.7/min
        (STEADY + "V.7 " + times("V.6", 4), ["ventricular_run", "ventricular_rhythm"]),
        (STEADY + "V.6 N.8 V.6 N.8 V.6", ["bigeminy"]),
        (STEADY + "V.6 N.8 V.6 N.8 N.8 V.6", []),
        (STEADY + "V.6 N.8 N.8 V.6 N.8 N.8 V.6", ["trigeminy"]),
        (STEADY + "V.35 N.9", ["r_on_t"]),
        (times("N.7", 20) + "N2.4", []),
        (times("N.7", 20) + "N2.6", ["pause"]),
        (times("N.7", 20) + "N4.1", ["pause", "bradycardia", "asystole"]),
        (times("N.49", 20), ["tachycardia"]),
        (times("N.51", 20), []),
        (times("N.37", 20), ["tachycardia", "extreme_tachycardia"]),
        (times("N.38", 20), ["tachycardia"]),
        (times("N1.19", 20), []),
        (times("N1.21", 20), ["bradycardia"]),
        (times("N1.70", 20), ["bradycardia"]),
        (times("N1.72", 20), ["bradycardia", "extreme_bradycardia"]),
        (STEADY + times("V.6 N.8 N.8 N.8 N.8 ", 11), ["frequent_v"]),
    ],
)
def test_a_rhythm_raises_exactly_its_alarms_in_order(rhythm: str, expected: list[str]) -> None:
    assert onsets(tell(BedAlarms(SETTINGS, RATE), rhythm)) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_an_alarm_that_is_switched_off_is_never_raised(kind: str) -> None:
    everything = STEADY + times("V.4", 8) + "N.8 V.6 V.6 N.8 V.6 N.8 V.6 N.8 V.6 N.8 N.8 V.6 N.8 N.8 V.6 N.8 N.8 V.6 "
    everything += STEADY + times("V.6", 6) + STEADY + "V.3 N6 "
    everything += times("V.6 N.6 ", 11) + times("N.3", 20) + times("N2.2", 8)
    signs = [
        Sign(0),
        Sign(9000, fibrillation=True),
        Sign(9500),
        Sign(10_000, lead_off=True),
        Sign(11_100),
    ]

    def run(settings: AlarmSettings) -> set[str]:
        bed = BedAlarms(settings, RATE)
        changes = [change for sign in signs for change in bed.sign(sign)]
        changes += tell(bed, everything)
        return set(onsets(changes + bed.clock(12_000)))

    off = msgspec.structs.replace(SETTINGS, **{kind: False})
    assert kind not in run(off)
    if kind not in ("atrial_fibrillation",):
        assert kind in run(SETTINGS)


def test_irregular_intervals_are_atrial_fibrillation_and_regular_or_bigeminal_ones_are_not() -> None:
    irregular = " ".join(f"N{0.55 + 0.37 * ((7 * k * k + 3 * k) % 13) / 13:.2f}" for k in range(80))
    slow_wave = " ".join(f"N{0.8 + 0.1 * ((k // 4) % 3):.2f}" for k in range(80))
    bigeminal = times("N.6 N1.0", 60)
    assert "atrial_fibrillation" in onsets(tell(BedAlarms(SETTINGS, RATE), irregular))
    assert "atrial_fibrillation" not in onsets(tell(BedAlarms(SETTINGS, RATE), slow_wave))
    assert "atrial_fibrillation" not in onsets(tell(BedAlarms(SETTINGS, RATE), bigeminal))


def test_an_irregular_rhythm_is_dated_by_where_the_intervals_change() -> None:
    simulation = Simulation(
        rate=RATE,
        names=("II",),
        seed="dates",
        script=Script([(0, Orders(rhythm="sinus")), (6000, Orders(rhythm="af")), (16000, Orders(rhythm="sinus"))]),
    )
    bed, changes = BedAlarms(SETTINGS, RATE), []
    for mark in simulation.next(30000).marks:
        if mark.symbol in CLASS_OF:
            changes += bed.beat(mark.index, CLASS_OF[mark.symbol])
    irregular = [change for change in changes if change.kind == "atrial_fibrillation"]
    onset, end = (next(one for one in irregular if one.what == what) for what in ("onset", "end"))
    assert abs(onset.onset - 6000) < 3 * RATE
    assert abs(end.over - 16000) < 6 * RATE
    assert onset.index - onset.onset > 10 * RATE, "dated back, not to the moment it was known"


def test_the_split_of_a_window_is_where_disorder_and_order_meet() -> None:
    order, disorder = [800, 804] * 10, [500, 900, 640, 1100, 700, 1300, 560, 990] * 2
    assert began(order + disorder, 0.08) in (20, 21)
    assert ended(disorder + order, 0.08) in (16, 17)
    assert began(order, 0.08) == len(order)
    assert ended(order, 0.08) == 0
    assert began([0] * 12, 0.08) == 12, "nothing can be used, so nothing is known"


def test_asystole_and_pause_come_with_time_alone_and_at_their_sample() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, STEADY)
    last = round(12 * 0.8 * RATE)
    assert bed.clock(last + 240) == []
    assert [(c.kind, c.index, c.onset) for c in bed.clock(last + 10_000) if c.what == "onset"] == [
        ("bradycardia", last - 240 + 481, last - 240),
        ("pause", last + 250, last),
        ("asystole", last + 400, last),
        ("extreme_bradycardia", last - 240 + 686, last - 240),
    ]
    asystole = next(alarm for alarm in bed.active() if alarm.kind == "asystole")
    assert (asystole.priority, asystole.onset, asystole.latched) == ("high", last, False)
    assert [alarm.kind for alarm in bed.active()] == ["asystole"]  # the rest of its chain is hidden


def test_a_high_alarm_stays_until_acknowledged_and_a_lesser_one_for_its_minimum_time() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, STEADY + times("V.4", 7) + times("N.8", 30))
    latched = bed.active()
    assert [(a.kind, a.latched, a.acknowledged) for a in latched] == [("ventricular_tachycardia", True, False)]
    assert [c.what for c in bed.acknowledge("ventricular_tachycardia")] == ["acknowledge", "clear"]
    assert bed.active() == []

    bed = BedAlarms(SETTINGS, RATE)
    changes = tell(bed, STEADY + "V.7 V.6 N.8 " + times("N.8", 10))
    raised = next(c.index for c in changes if c.what == "onset")
    cleared = next(c.index for c in changes if c.what == "clear")
    assert cleared - raised == SETTINGS.minimum_seconds * RATE


def test_an_acknowledged_alarm_that_lasts_is_shown_as_such_and_goes_when_it_is_over() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, times("N1.75", 10))
    bed.acknowledge()
    assert [(a.kind, a.acknowledged) for a in bed.active()] == [("extreme_bradycardia", True)]
    tell(bed, times("N.8", 20), start=17.5)
    assert bed.active() == []


def test_silence_lasts_its_time_and_hides_nothing() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, times("N1.75", 10))
    bed.silence(120)
    assert bed.silenced_seconds() == 120
    assert bed.active()
    tell(bed, times("N1.75", 20), start=17.5)
    assert bed.silenced_seconds() == 85
    bed.silence(0)
    assert bed.silenced_seconds() == 0


def test_flutter_hides_what_its_waves_would_raise_and_says_since_when() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    bed.sign(Sign(1000, fibrillation=True, onset=700))
    tell(bed, STEADY)
    changes = tell(bed, times("V.2", 50), start=9.9)
    assert onsets([c for c in changes if c.index >= 1000]) == ["fibrillation"]
    assert [(a.kind, a.onset) for a in bed.active()] == [("fibrillation", 700)]
    bed.sign(Sign(3000))
    assert "asystole" in onsets(bed.clock(3400))  # 4 s after the end of flutter, still no beat
    assert bed.active()[0].kind == "asystole"


@pytest.mark.parametrize(("onset", "expected"), [(1130, True), (1280, False)])
def test_a_wave_that_grows_out_of_a_run_of_v_has_been_a_tachycardia(onset: int, expected: bool) -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, STEADY)
    tell(bed, times("V.4", 3), start=10.3)
    bed.sign(Sign(onset + 200, fibrillation=True, onset=onset))
    changes = bed.clock(onset + 300)
    assert ("ventricular_tachycardia" in onsets(changes)) is expected
    assert bed.active()[0].kind == "fibrillation"


def test_a_lead_that_is_off_makes_no_asystole() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, STEADY)
    bed.sign(Sign(1100, lead_off=True))
    assert onsets(bed.clock(5000)) == ["lead_off", "cannot_analyse"]
    bed.sign(Sign(5500))
    assert onsets(bed.clock(5899)) == ["pause"]
    assert onsets(bed.clock(5900)) == ["asystole"]


@pytest.mark.parametrize("still", [-1, 961])
def test_an_unsteady_baseline_doubles_the_silence_that_is_believed(still: int) -> None:
    """Also of a line that an amplifier in recovery draws, which is still and falls by volts."""
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, STEADY)
    bed.sign(Sign(961, unsteady=True, still=still))
    kinds = {c.kind: c.index for c in bed.clock(3000) if c.what == "onset"}
    assert kinds["pause"] == 960 + 500
    assert kinds["asystole"] == 960 + 800


@pytest.mark.parametrize(("ends", "asystole", "pause_over"), [(True, 1700, 1300), (False, 1360, -1)])
def test_what_ends_a_stillness_is_a_beat_whatever_its_shape(ends: bool, asystole: int, pause_over: int) -> None:
    """An escape beat is unlike the usual ones, and as large; what the detector finds in hum or P waves is not."""
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, STEADY)
    bed.sign(Sign(1160, still=961))
    changes = bed.beat(1300, "N", Evidence(0.1, 0.3, UNKNOWN))
    if ends:
        bed.sign(Sign(1325))
    changes += bed.clock(1350)
    changes += bed.clock(1800)
    assert next(c.index for c in changes if c.kind == "asystole") == asystole
    assert next((c.over for c in changes if c.kind == "pause" and c.what == "end"), -1) == pause_over


def test_missing_samples_end_what_beats_had_raised_and_start_the_silence_anew() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, times("N1.3", 10))
    assert [a.kind for a in bed.active()] == ["bradycardia"]
    changes = bed.interrupt(3000)
    assert [c.what for c in changes if c.kind == "bradycardia"] == ["end", "clear"]
    assert onsets(bed.clock(3249)) == []
    assert onsets(bed.clock(3250)) == ["pause"]


def test_every_kind_has_a_priority_and_graver_kinds_are_never_of_lower_priority() -> None:
    order = {"high": 0, "medium": 1, "low": 2}
    for kind in KINDS:
        assert kind in PRIORITY
        assert all(order[PRIORITY[above]] <= order[PRIORITY[kind]] for above in GRAVER[kind])


CHALLENGE = AlarmSettings(**PROFILES["challenge2015"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rhythm", "expected"),
    [
        (times("N.42", 11), []),  # 143/min, but 11 beats
        (times("N.42", 12), ["extreme_tachycardia"]),
        (times("N.43", 40), []),  # 139.5/min
        (times("N1.51", 4), ["extreme_bradycardia"]),
        (times("N1.51", 2), []),
        (STEADY + "V.6 " + times("V.6", 4), ["ventricular_tachycardia"]),
        (STEADY + "V.6 " + times("V.6", 3), []),
    ],
)
def test_the_challenges_limits_are_those_of_its_profile(rhythm: str, expected: list[str]) -> None:
    changes = tell(BedAlarms(CHALLENGE, RATE), rhythm)
    assert [kind for kind in onsets(changes) if PRIORITY[kind] == "high"] == expected


def test_a_memory_saved_under_shorter_limits_goes_on_under_longer_ones() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    tell(bed, times("V.3", 14))
    assert {"extreme_tachycardia", "frequent_v"} <= set(bed.state.episodes)
    other = BedAlarms(msgspec.structs.replace(CHALLENGE, frequent_v_per_minute=30), RATE, state=bed.save())
    assert "extreme_tachycardia" in [change.kind for change in other.clock(3000) if change.what == "end"]


def test_other_limits_hold_from_the_moment_they_are_told() -> None:
    bed = BedAlarms(SETTINGS, RATE)
    changes = tell(bed, times("N.45", 20))  # 133/min
    assert onsets(changes) == ["tachycardia"]
    bed.adjust(msgspec.structs.replace(SETTINGS, tachycardia_rate=150.0, asystole_seconds=8.0))
    (alarm,) = bed.active()
    assert alarm.text == "Rate above 150/min"
    last = bed.state.beats[-1]
    changes = [*bed.clock(last + 799), *bed.clock(last + 800)]
    assert "tachycardia" in [change.kind for change in changes if change.what == "end"]
    assert [change.index - last for change in changes if change.kind == "asystole"] == [800]
