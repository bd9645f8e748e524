"""Arrays in, events out: what the service hears over MQTT, and one sentence for what cannot be used."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import monitor.api
from ecg.errors import UserError
from ecg.settings import Config, MonitorSettings
from monitor.api import AlarmChanged, ArrayWard, BeatRead, Event, MemoryReset, ResetReason
from tests.support.wards import EXCERPT, Run, messages, part

RATE = 360.0
SAMPLES = EXCERPT.millivolts(0)
MINUTE = SAMPLES[:21_600]
EXAMPLES = Path(__file__).parents[2] / "examples"


def ward(config: Config | None = None) -> ArrayWard:
    return ArrayWard.load("memory-gru", config=config, device="cpu")


def story(events: list[Event], bed: str = "bed") -> list[tuple[object, ...]]:
    """What happened to a bed, without names of streams and times of the wall clock."""
    told: list[Any] = []
    for event in events:
        if event.bed != bed:
            continue
        if isinstance(event, BeatRead):
            told.append((event.index, event.cls, event.rr_ms, [round(p, 4) for p in event.probabilities]))
        elif isinstance(event, MemoryReset):
            told.append((event.index, event.reason))
        elif isinstance(event, AlarmChanged):
            told += event.changes
    return sorted(told, key=repr)


WHOLE = story(list(ward().listen(MINUTE, RATE)))


def test_arrays_are_heard_as_the_same_samples_are_over_mqtt() -> None:
    run = Run()
    for wave in messages(part(EXCERPT, 0, 21_600), list(range(90, 21_600, 90))):
        run.ward.wave("bed", wave, 0)
        run.step()
    run.finish()
    assert story(run.events) == WHOLE
    assert len(WHOLE) > 80


@pytest.mark.parametrize("seconds", [0.5, 1.7, 30.0])
def test_chunks_of_any_length_and_of_either_shape_change_nothing(seconds: float) -> None:
    size = round(seconds * RATE)
    chunks = (MINUTE[begin : begin + size, None] for begin in range(0, len(MINUTE), size))
    assert story(list(ward().listen(chunks, RATE))) == WHOLE
    two = np.stack((np.zeros(len(MINUTE)), MINUTE), axis=1)
    assert story(list(ward().listen(two, RATE, leads=["V1", "MLII"]))) == WHOLE


def test_beds_fed_side_by_side_are_heard_as_alone_at_rates_of_their_own() -> None:
    many, events = ward(), []
    slow = MINUTE[::2].copy()
    alone = story(list(ward().listen(slow, RATE / 2, bed="slow")), "slow")
    for begin in range(0, 21_600, 3600):
        events += many.feed({"bed": MINUTE[begin : begin + 3600], "b": SAMPLES[begin + 40_000 :][:3600]}, RATE)
        events += many.feed({"slow": slow[begin // 2 : begin // 2 + 1800]}, RATE / 2)
    events += many.finish("slow")
    assert story(events, "slow") == alone
    events += many.finish()
    assert story(events) == WHOLE
    assert len(story(events, "b")) > 80
    assert many.finish() == []


def test_nan_is_a_missing_sample_and_many_are_a_lead_that_is_off() -> None:
    gone = SAMPLES[:10_800].copy()
    gone[1000:1010] = np.nan
    gone[3600:7200] = np.nan
    events = list(ward().listen(gone, RATE))
    resets = [(event.index, event.reason) for event in events if isinstance(event, MemoryReset)]
    assert resets == [(0, ResetReason.NEW_BED), (7200, ResetReason.LEAD_WAS_OFF)]
    kinds = [change.kind for event in events if isinstance(event, AlarmChanged) for change in event.changes]
    assert "lead_off" in kinds
    assert [event for event in events if isinstance(event, BeatRead) and event.index > 7200]


def test_a_bed_that_is_finished_or_left_half_way_begins_as_a_new_patient() -> None:
    one = ward()
    for event in one.listen(MINUTE, RATE):
        if isinstance(event, BeatRead):
            break
    again = list(one.listen(MINUTE, RATE))
    assert isinstance(again[0], MemoryReset)
    assert again[0].reason == ResetReason.NEW_RECORD
    assert story(again[1:]) == [told for told in WHOLE if told != (0, ResetReason.NEW_BED)]


def test_an_alarm_that_has_been_seen_is_marked_as_such() -> None:
    one = ward()
    silence = np.concatenate((SAMPLES[:7290], SAMPLES[7289] + np.linspace(0, 0.035, 3000, dtype=np.float32)))
    events = one.feed({"bed": silence}, RATE)
    assert [alarm.kind for event in events[-1:] for alarm in event.active] == ["asystole"]  # type: ignore[union-attr]
    (seen,) = one.acknowledge("bed", "asystole")
    assert isinstance(seen, AlarmChanged)
    assert [(alarm.kind, alarm.acknowledged) for alarm in seen.active] == [("asystole", True)]


@pytest.mark.parametrize(
    ("samples", "rate", "sentence"),
    [
        (SAMPLES[:360] * 1000, RATE, r"is no ECG in mV \(beyond 30\); divide uV by 1000"),
        (np.full(360, np.inf), RATE, "inf at sample 0 of the chunk is no ECG in mV"),
        (EXCERPT.samples[:360], RATE, "samples of type int16 are no mV; give floats"),
        (SAMPLES[:0], RATE, r"samples of shape \(0,\) cannot be used"),
        (SAMPLES[:720].reshape(1, 1, 720), RATE, r"samples of shape \(1, 1, 720\) cannot be used; give \[n\] or"),
        (SAMPLES[:720].reshape(2, 360), RATE, r"samples of shape \(2, 360\) cannot be used; give \[n\] or"),
        (SAMPLES[:360], 50.0, "a rate of 50.0 Hz cannot be used: give 100 to 10000 Hz"),
        (SAMPLES[:360], float("nan"), "a rate of nan Hz cannot be used"),
        ([], RATE, "the iterable of chunks is empty"),
        ([0.1, 0.2], RATE, r"samples of shape \(\) cannot be used"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(samples: object, rate: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as told:
        list(ward().listen(samples, rate))  # type: ignore[arg-type]
    assert "\n" not in str(told.value)


def test_a_chunk_that_cannot_be_used_leaves_every_bed_as_it_was() -> None:
    one = ward(Config(monitor=MonitorSettings(max_beds=2)))
    events = one.feed({"bed": MINUTE[:9000]}, RATE)
    wrong: list[tuple[dict[str, NDArray[np.floating]], float, list[str] | None, str]] = [
        ({"bed": MINUTE[9000:], "b": np.zeros(0)}, RATE, None, "bed 'b': samples of shape"),
        ({"bed": MINUTE[9000:]}, 250.0, None, "250 Hz and leads .* finish it before another signal begins"),
        ({"bed": MINUTE[9000:].reshape(-1, 2)}, RATE, None, "where it had 360 Hz"),
        ({"bed": MINUTE[9000:]}, RATE, ["I", "II"], "2 names of leads for 1 columns"),
        ({"b": MINUTE, "c": MINUTE}, RATE, None, "a ward of 2 beds has no room for b, c"),
    ]
    for chunks, rate, leads, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            one.feed(chunks, rate, leads=leads)
    with pytest.raises(ValueError, match="bed 'bed' is being fed already"):
        list(one.listen(MINUTE, RATE))
    events += one.feed({"bed": MINUTE[9000:]}, RATE)
    assert story(events + one.finish()) == WHOLE


def test_a_bed_that_is_finished_makes_room_for_another() -> None:
    one = ward(Config(monitor=MonitorSettings(max_beds=2)))
    for bed in ("a", "b", "c", "bed"):
        events = one.feed({bed: MINUTE}, RATE)
        events += one.finish(bed) if bed != "a" else []
    assert story(events) == WHOLE
    assert story(one.feed({"a": MINUTE}, RATE), "a"), "the bed that is still open has kept its place"
    assert not [event for event in one.finish() if isinstance(event, MemoryReset)]


def test_weights_that_are_not_there_are_one_sentence() -> None:
    with pytest.raises(UserError, match="nothing-like-it"):
        ArrayWard.load("nothing-like-it")


def test_the_package_brings_no_network_until_it_is_asked_for_one() -> None:
    code = (
        "import sys, monitor; print('torch' in sys.modules); from monitor import ArrayWard; print(ArrayWard.__name__)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "ArrayWard"]
    with pytest.raises(AttributeError, match="nothing"):
        monitor.nothing  # noqa: B018


def test_the_example_in_the_docstring_is_true() -> None:
    assert doctest.testmod(monitor.api).failed == 0


@pytest.mark.parametrize(("example", "line"), [("listen.py", "354 N, 99 V"), ("many_beds.py", "bed8 {'N'")])
def test_an_example_runs(example: str, line: str) -> None:
    ran = subprocess.run([sys.executable, str(EXAMPLES / example)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert line in ran.stdout
