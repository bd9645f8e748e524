from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Record
from tests.support.annotated_pieces import fake
from trainer.data.cutting import cut, reference_of


def test_every_reference_beat_gives_one_beat_with_its_sample_and_class(pieces: list[Record]) -> None:
    for record, found in zip(pieces, cut(pieces, "reference"), strict=True):
        notes = record.annotations
        assert notes is not None
        assert np.array_equal(found.index, notes.index)
        assert [("N", "S", "V")[c] for c in found.classes] == [{"A": "S"}.get(s, s) for s in notes.symbol]
        assert np.isfinite(found.windows).all()


def test_a_found_beat_without_a_reference_beat_within_150_ms_has_no_class(pieces: list[Record]) -> None:
    record = pieces[0]
    notes = record.annotations
    assert notes is not None
    keep = np.arange(len(notes.index)) != 5
    keep[7] = True
    index = notes.index.copy()
    index[7] += 53
    index[9] += 70
    shifted = replace(record, annotations=fake(index[keep], notes.symbol[keep]))
    found = cut([shifted], "detector")[0]
    assert found.classes[5] == -1
    assert found.classes[7] >= 0
    assert found.classes[9] == -1


def test_beats_do_not_depend_on_the_length_of_the_chunks(pieces: list[Record]) -> None:
    for source in ("reference", "detector"):
        one, other = cut(pieces, source), cut(pieces, source, chunk_seconds=0.37)
        for a, b in zip(one, other, strict=True):
            assert np.array_equal(a.windows, b.windows)
            assert np.array_equal(a.features, b.features)
            assert np.array_equal(a.index, b.index)


def test_beats_before_and_after_flutter_count_and_those_within_do_not(pieces: list[Record]) -> None:
    record = pieces[0]
    notes = record.annotations
    assert notes is not None
    symbol = notes.symbol.astype("<U2")
    symbol[3], symbol[8] = "[", "]"
    reference = reference_of(replace(record, annotations=fake(notes.index, symbol)))
    assert reference.flutter.tolist() == [[notes.index[3], notes.index[8]]]
    assert reference.outside_flutter(notes.index).tolist() == [not 3 <= i <= 8 for i in range(len(symbol))]


def test_flutter_that_is_not_closed_lasts_to_the_end(pieces: list[Record]) -> None:
    record = replace(pieces[0], annotations=fake([50, 500], ["N", "["]))
    assert reference_of(record).flutter.tolist() == [[500, len(record.samples) - 1]]


def test_a_record_without_annotations_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="208-excerpt carries no annotations"):
        cut([replace(library.read("excerpt"), annotations=None)], "detector")


def test_a_record_whose_annotations_hold_no_beat_is_refused(pieces: list[Record]) -> None:
    with pytest.raises(UserError, match="none of them is a beat"):
        reference_of(replace(pieces[0], annotations=fake([10, 20], ["+", "~"])))
