"""Simulated beds: what goes over the wire of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.errors import UserError
from ecg.wire.messages import SCHEMA, Command, decode_json, decode_wave, encode_json, encode_wave, wave_samples
from producer.sources.simulated import SimulatedBed, make_simulated


def beds(source: str = "sim", **more: Any) -> list[SimulatedBed]:
    given = {"beds": 0, "seed": 1, "lead": "all", "rate": None, "chunk_seconds": 0.25, "run": "r", "loop": False}
    return make_simulated(source, truth=True, **{**given, **more})


def played(bed: SimulatedBed, chunks: int) -> tuple[np.ndarray, list[Any]]:
    """Samples and annotations of so many messages, all of which can be decoded."""
    parts, marks = [], []
    for _ in range(chunks):
        wave, truth = bed.next(0)
        assert decode_wave(encode_wave(wave)) == wave
        parts.append(wave_samples(wave))
        if truth:
            assert decode_json(encode_json(truth), type(truth)) == truth
            marks += truth.annotations
    return np.concatenate(parts), marks


@given(st.floats(0.02, 15.0))
@settings(max_examples=15, deadline=None)
def test_the_samples_and_the_truth_are_the_same_at_every_speed(chunk: float) -> None:
    bed, same = beds("sim:noise-round", chunk_seconds=chunk)[0], beds("sim:noise-round", chunk_seconds=0.25)[0]
    count = max(int(12 / chunk), 1)
    samples, marks = played(bed, count)
    other, theirs = played(same, int(count * chunk / 0.25) + 2)
    assert (samples == other[: len(samples)]).all()
    assert marks == [mark for mark in theirs if mark.index < len(samples)]
    assert bed.index == bed.published == len(samples) and abs(len(samples) - count * chunk * 250) <= 1


def test_a_simulated_bed_says_so_in_every_message() -> None:
    bed = beds("sim:post-op-bleed")[0]
    wave, _ = bed.next(5)
    status = bed.status(True, 1.0)
    assert wave.record == status.record == "SIMULATED post-op-bleed" and status.source == "simulated"
    assert wave.leads == ["II", "V1", "PLETH", "ABP"] and wave.units == ["mV", "mV", "NU", "mmHg"]
    assert (wave.stream, status.stream) == ("sim-post-op-bleed-r-0",) * 2 and wave.sent_ns == 5


def test_beds_of_one_scenario_are_patients_of_their_own() -> None:
    some = beds("sim:stable-sinus,fever", beds=5)
    assert [bed.name for bed in some] == ["stable-sinus-1", "fever-1", "stable-sinus-2", "fever-2", "stable-sinus-3"]
    assert len({bed.next(0)[0].samples for bed in some}) == 5
    again = beds("sim:stable-sinus,fever", beds=5)
    assert [bed.next(0)[0].samples for bed in again] == [
        bed.next(0)[0].samples for bed in beds("sim:stable-sinus,fever", beds=5)
    ]


def test_a_ward_has_as_many_beds_as_wanted_and_the_same_ones_for_a_seed() -> None:
    assert [bed.name for bed in beds("sim:ward", beds=12)][:2] == ["bed-01", "bed-02"]
    assert len(beds("sim:ward")) == 8
    one, same, other = (beds("sim:ward", beds=3, seed=seed) for seed in (7, 7, 8))
    assert [bed.told for bed in one] == [bed.told for bed in same] != [bed.told for bed in other]


def test_leads_and_rate_are_those_asked_for() -> None:
    bed = beds("sim:noise-round", lead="12,abp", rate=500.0)[0]
    wave, _ = bed.next(0)
    assert len(wave.leads) == 13 and wave.leads[-1] == "ABP" and wave.rate == 500 and len(wave.samples) == 125 * 13 * 2
    played(beds("sim:noise-round", lead="V5")[0], 500)  # a lead that falls off in the scenario is not sent here


def test_a_scenario_that_ends_ends_and_begins_anew_as_another_stream(tmp_path: Any) -> None:
    file = tmp_path / "short.toml"
    file.write_text('title = "t"\nthen = "end"\n[[step]]\nfor = 1.1\nrhythm = "vt"\n', encoding="utf-8")
    once, again = beds(f"sim:{file}")[0], beds(f"sim:{file}", loop=True)[0]
    assert (once.seconds, len(played(once, 5)[0]), once.done) == (1.1, 275, True)
    streams = [again.next(0)[0].stream for _ in range(10)]
    assert streams == ["sim-short-r-0"] * 5 + ["sim-short-r-1"] * 5 and not again.done


@pytest.mark.parametrize(
    ("source", "more", "said"),
    [
        ("sim:vt-storm", {}, "there is no scenario 'vt-storm'"),
        ("sim:ward,fever", {}, "a ward stands alone"),
        ("sim", {"lead": "V17"}, "--lead: 'V17' cannot be simulated"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_one_sentence(source: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        beds(source, **more)


def command(**fields: Any) -> Command:
    return Command(v=SCHEMA, **fields)


def test_a_command_changes_the_rhythm_from_its_index_on_and_puts_it_back() -> None:
    bed, plain = beds()[0], beds()[0]
    before = played(bed, 40)[0], played(plain, 40)[0]
    index, stream = bed.obey(command(do="set", rhythm="vt", rate=180, seconds=10))
    assert stream == bed.stream and index >= bed.index
    samples, marks = played(bed, 120)
    other, _ = played(plain, 120)
    assert (before[0] == before[1]).all() and (samples[: index - 2500] == other[: index - 2500]).all()
    at = [mark.index for mark in marks if mark.symbol == "V"]
    assert index <= at[0] and 25 < len(at) < 32 and at[-1] < index + 10 * 250 + 300
    assert [mark.symbol for mark in marks][-1] == "N"
    rates = np.diff([mark.index for mark in marks if mark.symbol == "N" and mark.index > at[-1] + 250])
    assert 60 < 60 * 250 / rates.mean() < 85


def test_another_scenario_begins_at_once() -> None:
    bed = beds()[0]
    played(bed, 10)
    index, _ = bed.obey(command(do="script", scenario="arrest-fine-vf"))
    marks = played(bed, 4 * 45)[1]
    assert [mark.index for mark in marks if mark.symbol == "["] == pytest.approx([index + 30 * 250 + 88], abs=2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"do": "set"}, "asks for nothing"),
        ({"do": "set", "rhythm": "vtt"}, "rhythm = 'vtt' is not known"),
        ({"do": "set", "rate": 250.0}, "rate = 250 is not one of rhythm 'sinus'"),
        ({"do": "set", "off": ["V6"]}, "no lead 'V6'"),
        ({"do": "set", "artefacts": {"hum": 1.0}}, "artefact 'hum'"),
        ({"do": "script", "scenario": "nothing"}, "no scenario 'nothing'"),
        ({"do": "script", "scenario": "/etc/passwd.toml"}, "a command cannot read"),
        ({"do": "jump", "seconds": 3.0}, "jump is for beds of records"),
        ({"do": "next"}, "next is for beds of records"),
    ],
)
def test_a_command_that_cannot_be_changes_nothing(fields: dict[str, Any], said: str) -> None:
    bed, plain = beds()[0], beds()[0]
    played(bed, 10)
    played(plain, 10)
    with pytest.raises(UserError, match=said) as caught:
        bed.obey(command(**fields))
    assert "\n" not in str(caught.value)
    assert (played(bed, 20)[0] == played(plain, 20)[0]).all()
