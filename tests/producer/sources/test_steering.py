"""A record's own beats in another rhythm: exact truth, nothing before the answer's index, and the record given back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Annotations, Record
from ecg.rhythms.sequences import MADE, MADE_EXTRA
from ecg.wire.messages import SCHEMA, Command
from producer.sources.records import Bed, make_beds
from producer.sources.steering import steered

RATE = 360


def annotated() -> Record:
    """A minute and a half of the excerpt, with the cardiologists' annotations."""
    whole = library.read("excerpt")
    notes = whole.annotations
    assert notes is not None
    kept = notes.index < 90 * RATE
    parts = Annotations(notes.index[kept], notes.symbol[kept], notes.rhythm[kept])
    return replace(whole, samples=whole.samples[: 90 * RATE], annotations=parts)


RECORD = annotated()


def asked(**fields: Any) -> Command:
    return Command(v=SCHEMA, do="set", **fields)


def bed() -> Bed:
    (made,) = make_beds([RECORD], 0, "all", 0.25, "r", False, True)
    return made


def sent(one: Bed, seconds: float) -> tuple[np.ndarray[Any, Any], list[tuple[int, str, str]]]:
    """The samples and annotations of so many seconds, from the bed's beginning where it is new."""
    samples, notes = [], []
    for _ in range(round(seconds / 0.25)):
        wave, truth = one.next(0)
        assert wave is not None
        samples.append(np.frombuffer(wave.samples, "<i2"))
        notes += [(mark.index, mark.symbol, mark.rhythm) for mark in truth.annotations] if truth else []
    return np.concatenate(samples), notes


def test_a_records_beats_become_a_vt_and_come_back() -> None:
    one, plain = bed(), bed()
    before, _ = sent(one, 10)
    index, stream = one.obey(asked(rhythm="vt", seconds=12))
    assert stream == one.stream and 10 * RATE <= index <= 12 * RATE
    after, notes = sent(one, 50)
    own, own_notes = sent(plain, 60)
    whole = np.concatenate((before, after))
    differs = np.flatnonzero(whole != own)
    assert differs[0] >= index and differs[-1] < index + 14.5 * RATE
    inside = [(at, symbol) for at, symbol, rhythm in notes if rhythm == "(VT" and symbol != "+"]
    assert len(inside) > 25 and {symbol for _, symbol in inside} == {"V"}
    assert 170 < 60 * RATE / np.median(np.diff([at for at, _ in inside])) < 190
    end = differs[-1]
    assert [note for note in notes if note[0] > end + RATE] == [note for note in own_notes if note[0] > end + RATE]
    assert sum(symbol == "+" and rhythm == "(VT" for _, symbol, rhythm in notes) == 1
    peaks = [int(whole[at - 8 : at + 9].max()) >= int(whole[at - 55 : at + 56].max()) - 20 for at, _ in inside]
    assert np.mean(peaks) > 0.8  # the truth is where the beat is


def test_the_record_is_given_back_at_once_when_asked() -> None:
    one, plain = bed(), bed()
    sent(one, 5)
    one.obey(asked(rhythm="vt", seconds=60))
    sent(one, 8)
    index, _ = one.obey(asked(rhythm="sinus"))
    rest, notes = sent(one, 20)
    own, own_notes = sent(plain, 33)
    assert (rest[index - 13 * RATE :] == own[index:]).all()
    assert [note for note in notes if note[0] >= index] == [note for note in own_notes if note[0] >= index]


def test_a_jump_ends_it() -> None:
    one = bed()
    sent(one, 5)
    one.obey(asked(rhythm="asystole", seconds=30))
    one.obey(Command(v=SCHEMA, do="jump", seconds=5))
    samples, _ = sent(one, 5)
    assert (samples == RECORD.samples[5 * RATE : 10 * RATE, 0]).all()


SYMBOLS = {
    **dict.fromkeys(MADE, "N"),
    **dict.fromkeys(("idioventricular", "vt", "torsades"), "V"),
    **dict.fromkeys(("vf", "vf_fine"), "[]"),
    **dict.fromkeys(("asystole", "standstill"), ""),
    **dict.fromkeys(("ventricular_escape", "av_block_3"), "E"),
    **dict.fromkeys(MADE_EXTRA, "NV"),
    "svt": "S",
    "junctional": "j",
    "pacs": "NA",
}


@pytest.mark.parametrize("name", [*MADE, *MADE_EXTRA])
def test_every_rhythm_keeps_the_length_and_says_what_it_is(name: str) -> None:
    field = "ectopy" if name in MADE_EXTRA else "rhythm"
    made, own, begin, _, said = steered(RECORD, RECORD, 20 * RATE, asked(**{field: name, "seconds": 15}))
    assert (
        said == name and own is RECORD and made.samples.shape == RECORD.samples.shape and made.annotations is not None
    )
    assert (made.samples[:begin] == RECORD.samples[:begin]).all()
    notes = made.annotations
    assert (np.diff(notes.index) >= 0).all()
    changes = np.flatnonzero((notes.symbol == "+") & (notes.index >= begin))
    inside = notes.symbol[(notes.index > begin) & (notes.index < notes.index[changes[-1]])]
    assert set(inside.tolist()) == set(SYMBOLS[name])
    again = steered(RECORD, RECORD, 20 * RATE, asked(**{field: name, "seconds": 15})).record
    assert (again.samples == made.samples).all()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rhythm": "paced"}, "cannot show 'paced': sinus gives the record back, and there are"),
        ({"rhythm": "vt", "rate": 20.0}, "rate = 20 is no vt"),
        ({"rhythm": "vt", "seconds": 1.0}, "lasts 5 to 600 s, not 1"),
        ({"rhythm": "vt", "artefacts": {"muscle": 1.0}}, "artefacts is for simulated beds"),
        ({}, "set without a rhythm"),
        ({"rhythm": "vt", "ectopy": "bigeminy"}, "two things"),
    ],
)
def test_what_a_record_cannot_do_is_one_sentence_and_changes_nothing(fields: dict[str, Any], said: str) -> None:
    one = bed()
    sent(one, 5)
    before = one.record
    with pytest.raises(UserError, match=said):
        one.obey(asked(**fields))
    assert one.record is before and one.own is None


def test_near_the_end_there_is_nothing_to_be_seen() -> None:
    with pytest.raises(UserError, match="ends before"):
        steered(RECORD, RECORD, 88 * RATE, asked(rhythm="vt"))
