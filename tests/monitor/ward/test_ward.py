"""What must always hold: the same beats however the samples come, in whatever company, live or as a whole."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from ecg.model.network import built
from ecg.records.record import Record
from ecg.settings import Config, MonitorSettings
from ecg.signal.path import SignalPath
from ecg.wire.messages import SCHEMA, BedStatus, MessageError, Truth, TruthMark
from monitor.ward.events import ResetReason
from tests.support.wards import (
    ALONE,
    DOUBT,
    EXCERPT,
    MINUTE,
    WEIGHTS,
    Run,
    alarm_story,
    announced,
    messages,
    part,
    same,
    whole,
)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_beats_and_alarms_do_not_depend_on_how_samples_come_or_on_the_company(data: st.DataObject) -> None:
    run = Run()
    beds = data.draw(st.integers(1, 5))
    queues = []
    for number in range(beds):
        bounds = data.draw(st.lists(st.integers(1, 21_599), max_size=25))
        queues.append(messages(MINUTE if number == 0 else part(EXCERPT, number * 9000, number * 9000 + 15_000), bounds))
    waiting = [number for number, queue in enumerate(queues) for _ in queue]
    places = [0] * beds
    for number in data.draw(st.permutations(waiting)):
        run.ward.wave(f"bed{number}" if number else "a", queues[number][places[number]], 0)
        places[number] += 1
        if data.draw(st.booleans()):
            run.step()
    run.finish()
    same(run.of("a"), ALONE.of("a"))
    assert alarm_story(run, "a") == alarm_story(ALONE, "a")


@pytest.mark.parametrize("chunk", [45, 3000, 21_600])
def test_letters_are_unsure_in_noise_and_below_the_level_of_the_card(chunk: int) -> None:
    first, last = 20 * 360, 40 * 360
    samples = MINUTE.samples.astype(np.float64)
    samples[first:last] += np.random.default_rng(0).normal(0, 200, (last - first, 1))
    noisy = replace(MINUTE, samples=np.rint(samples).astype(np.int16))
    run = Run(doubt=DOUBT)
    for wave in messages(noisy, list(range(chunk, 21_600, chunk))):
        run.ward.wave("a", wave, 0)
        run.step()
    run.finish()
    for beat in run.beats:
        if first + 720 <= beat.index < last:  # two seconds in, noise is known for what it is
            assert beat.unsure
        elif not first <= beat.index < last + 1440:
            assert beat.unsure == (max(beat.probabilities) < DOUBT.unsure_below)
    quiet = [beat.unsure for beat in run.beats if beat.index < first]
    assert any(quiet) and not all(quiet)


def test_the_stream_gives_what_the_path_and_the_network_give_for_the_whole_record() -> None:
    path = SignalPath(1)
    slot = np.zeros(1, np.int64)
    path.reset(slot, np.array([EXCERPT.rate]), np.zeros(1, np.int64))
    signal = EXCERPT.millivolts(0)
    first, rest = path.step(slot, [signal]), path.finish(slot)
    with torch.inference_mode():
        net = built(WEIGHTS)
        logits, memory = net.sequence(
            torch.from_numpy(first.windows)[None], torch.from_numpy(first.features)[None], net.empty_memory(1)
        )
        more, _ = net.sequence(torch.from_numpy(rest.windows)[None], torch.from_numpy(rest.features)[None], memory)
    said = torch.softmax(torch.cat((logits, more), dim=1)[0], dim=-1).numpy()
    expected = DOUBT.weigh(said, np.concatenate((first.index, rest.index)) / EXCERPT.rate)
    assert not np.array_equal(said, expected)
    run = Run(doubt=DOUBT)
    for wave in messages(EXCERPT, list(range(90, 108_000, 90))):
        run.ward.wave("a", wave, 0)
        run.step()
    run.finish()
    assert [beat.index for beat in run.beats] == [*first.index.tolist(), *rest.index.tolist()]
    got = np.array([beat.probabilities for beat in run.beats])
    assert np.abs(got - expected).max() <= 1e-5
    assert 400 < len(run.beats) < 600


def test_a_gap_resets_the_memory_and_says_so() -> None:
    run = Run()
    waves = messages(MINUTE, list(range(90, 21_600, 90)))
    for wave in waves[:100] + waves[120:]:
        run.ward.wave("a", wave, 0)
    run.step()
    assert [(reset.reason, reset.index, reset.seconds) for reset in run.resets] == [
        (ResetReason.NEW_BED, 0, 0.0),
        (ResetReason.GAP, 120 * 90, 5.0),
    ]
    after = whole(part(EXCERPT, 120 * 90, 21_600))
    fresh = [beat for beat in run.beats if beat.index >= 120 * 90]
    assert [beat.index - 120 * 90 for beat in fresh] == [b.index for b in after.of("a")][: len(fresh)]
    shifted = after.of("a")[: len(fresh)]
    for beat, other in zip(fresh, shifted, strict=True):
        assert beat.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_a_new_record_on_a_bed_is_a_new_patient() -> None:
    run = Run()
    for stream in ("r-1-0", "r-1-1"):
        run.ward.status("a", announced(stream), True)
        for wave in messages(MINUTE, [5000], stream):
            run.ward.wave("a", wave, 0)
    run.finish()
    first = [beat for beat in run.beats if beat.stream == "r-1-0"]
    second = [beat for beat in run.beats if beat.stream == "r-1-1"]
    same(first, second)
    same(first, ALONE.of("a"))


def test_more_beds_than_allowed_are_refused_and_a_bed_that_has_gone_makes_room() -> None:
    run = Run(Config(monitor=MonitorSettings(max_beds=2)))
    wave = messages(MINUTE, [])[0]
    run.ward.wave("a", wave, 0)
    run.ward.wave("b", wave, 0)
    with pytest.raises(MessageError, match=r"bed c refused: 2 beds are here \(max_beds\)"):
        run.ward.wave("c", wave, 0)
    run.step()
    run.ward.status(
        "a",
        BedStatus(
            v=SCHEMA,
            state="offline",
            record="r",
            source="wfdb",
            speed=1,
            rate=360.0,
            leads=["MLII"],
            stream=wave.stream,
            published=None,
        ),
        False,
    )
    run.ward.wave("c", wave, 0)
    run.finish()
    same(run.of("c"), ALONE.of("a"))
    assert set(run.ward.beds) == {"b", "c"}


def test_slots_grow_without_a_bed_noticing() -> None:
    run = Run()
    halves = messages(MINUTE, [10_000])
    run.ward.wave("a", halves[0], 0)
    run.step()
    for number in range(100):
        run.ward.wave(f"n{number}", messages(part(EXCERPT, 0, 2000), [])[0], 0)
    run.step()
    run.ward.wave("a", halves[1], 0)
    run.finish()
    same(run.of("a"), ALONE.of("a"))


def test_annotations_are_kept_for_the_stream_they_belong_to() -> None:
    run = Run()
    wave = messages(MINUTE, [])[0]
    run.ward.wave("a", wave, 0)
    run.ward.truth("a", Truth(SCHEMA, wave.stream, [TruthMark(5, "N", "(N")]))
    run.ward.truth("a", Truth(SCHEMA, "another", [TruthMark(9, "V", "(N")]))
    assert [note.index for note in run.ward.beds["a"].history.notes] == [5]


def test_an_old_final_status_says_nothing_of_the_present() -> None:
    run = Run()
    run.ward.status(
        "a",
        BedStatus(
            v=SCHEMA,
            state="offline",
            record="r",
            source="wfdb",
            speed=1,
            rate=360.0,
            leads=["MLII"],
            stream="r-old-0",
            published=650_000,
        ),
        True,
    )
    assert run.ward.ledger.as_dict()["published"] == 0


def test_a_flat_lead_raises_lead_off_and_comes_back_as_a_fresh_start() -> None:
    samples = MINUTE.samples.copy()
    samples[7200:10_800] = samples[7200]
    record = Record(
        name="flat",
        rate=360.0,
        leads=MINUTE.leads,
        gain=MINUTE.gain,
        baseline=MINUTE.baseline,
        samples=samples,
        source="synthetic",
    )
    run = Run()
    states = []
    for wave in messages(record, list(range(90, 21_600, 90))):
        run.ward.wave("a", wave, 0)
        run.step()
        states.append(run.ward.beds["a"].state(time.monotonic(), 30.0))
    run.finish()
    assert "lead off" in states
    assert [reset.reason for reset in run.resets] == [ResetReason.NEW_BED, ResetReason.LEAD_WAS_OFF]
    onsets = [change.onset for change in alarm_story(run, "a") if (change.kind, change.what) == ("lead_off", "onset")]
    assert len(onsets) == 1
    assert 7200 <= onsets[0] <= 7200 + 721
    assert not [beat for beat in run.beats if 7300 < beat.index < 10_800]
    assert [beat for beat in run.beats if beat.index > 11_500]


def test_a_bed_is_simulated_where_its_waves_or_its_status_say_so() -> None:
    run = Run()
    wave = messages(part(EXCERPT, 0, 500), [])[0]
    run.ward.wave("real", wave, 0)
    run.ward.wave("waves", structs.replace(wave, record="SIMULATED fever"), 0)
    run.ward.wave("status", wave, 0)
    run.ward.status("status", structs.replace(announced(wave.stream), source="simulated"), False)
    assert {name: bed.simulated for name, bed in run.ward.beds.items()} == {
        "real": False,
        "waves": True,
        "status": True,
    }
