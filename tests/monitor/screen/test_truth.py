"""The truth view counts as `trainer evaluate` does, and says in words what the cardiologists wrote."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from ecg.model.rhythms import UNKNOWN
from ecg.records import library
from ecg.records.aami import CLASS_OF, CLASSES
from ecg.records.ec57 import match_window
from monitor.link.protocol import BeatMark, BedDetail, Strip, TruthNote
from monitor.screen.draw.truth import SETTLED_SECONDS, TruthTally
from monitor.screen.labels import RHYTHMS, Labels, Language
from monitor.screen.state.history import BedHistory
from monitor.screen.widgets.strip_view import joined, lay
from tests.support.driving import running, text
from tests.support.shown_ward import WardLink
from trainer.data.cutting import CutRecord, Reference
from trainer.scoring.scores import Table, tally

RATE = 360.0
MIT_BIH = "AB AFIB AFL B BII IVR N NOD P PREX SBR SVTA T VFL VT".split()
"""The rhythm labels of the MIT-BIH Arrhythmia Database (its directory, table of rhythm annotations)."""


def by_the_trainer(beats: list[BeatMark], notes: list[TruthNote], end: int) -> Table:
    """The table that `trainer evaluate` makes of the same beats and annotations. end: of the record, in samples."""
    known = [note for note in notes if note.symbol in CLASS_OF]
    spans, begin = [], -1
    for note in notes:
        if note.symbol == "[" and begin < 0:
            begin = note.index
        elif note.symbol == "]" and begin >= 0:
            spans.append((begin, note.index))
            begin = -1
    if begin >= 0:
        spans.append((begin, end))
    reference = Reference(
        "record",
        RATE,
        np.array([note.index for note in known], np.int64),
        np.array([CLASSES.index(CLASS_OF[note.symbol]) for note in known], np.int64),
        np.array(spans, np.int64).reshape(-1, 2),
        np.full(len(known), UNKNOWN),
    )
    index = np.array([beat.index for beat in beats], np.int64)
    nothing = np.zeros((len(beats), 0), np.float32)
    unknown = np.full(len(beats), UNKNOWN)
    cut = CutRecord("detector", reference, nothing, nothing, index, unknown, unknown)
    return tally(cut, np.array([CLASSES.index(beat.cls) for beat in beats], np.int64))


def live(beats: list[BeatMark], notes: list[TruthNote], end: int, chunk: int, since: int = 0) -> TruthTally:
    """The tally of a screen that is told the stream chunk by chunk, from sample `since` on, to the end and beyond."""
    history, counted = BedHistory(bed="bed"), TruthTally()
    for at in range(since, end + int((SETTLED_SECONDS + 1) * RATE) + chunk, chunk):
        detail = BedDetail(
            bed="bed",
            stream="s/0",
            fresh=at == since,
            strips=[Strip(at, np.zeros(chunk, "<f4").tobytes())],
            beats=[beat for beat in beats if at <= beat.index < at + chunk],
            truth=[note for note in notes if at <= note.index < at + chunk],
        )
        history.take(detail, RATE, ["MLII"])
        counted.follow(history)
    return counted


def mark(index: int, cls: str) -> BeatMark:
    return BeatMark(index, cls, [1.0, 0, 0, 0, 0], 800.0, 5.0)


streams = st.lists(
    st.tuples(st.integers(20, 500), st.sampled_from("NVASFQ[]+~"), st.integers(-90, 90), st.sampled_from("NSVFQ-")),
    min_size=1,
    max_size=300,
)


def played(steps: list[tuple[int, str, int, str]]) -> tuple[list[BeatMark], list[TruthNote], int]:
    """Annotations, and beats near them; "-": that beat is missed."""
    notes, beats, at = [], {}, 100
    for step, symbol, off, named in steps:
        at += step
        notes.append(TruthNote(at, symbol))
        if named != "-":
            beats[at + off] = mark(at + off, named)
    return [beats[index] for index in sorted(beats)], notes, at + 100


@given(streams, st.sampled_from([90, 360, 4000]))
@effort(max_examples=60, deadline=None)
def test_the_truth_view_counts_as_the_trainer_does(steps: list[tuple[int, str, int, str]], chunk: int) -> None:
    beats, notes, end = played([(100, "N", 0, "N"), *steps])
    assert (live(beats, notes, end, chunk).table == by_the_trainer(beats, notes, end)).all()


def test_beats_within_ventricular_flutter_are_left_out_also_long_after_it_began() -> None:
    notes = [TruthNote(at, "N") for at in range(360, 36_000, 300)]
    notes = [note for note in notes if not 7_200 <= note.index <= 34_000]
    notes = sorted([*notes, TruthNote(7_200, "["), TruthNote(34_000, "]")], key=lambda note: note.index)
    beats = [mark(at, "V" if 7_200 <= at <= 34_000 else "N") for at in range(365, 36_000, 300)]
    table = live(beats, notes, 36_000, 360).table
    assert (table == by_the_trainer(beats, notes, 36_000)).all()
    assert table[5].sum() == 0, "no beat within it is called false"


def test_a_screen_that_comes_later_begins_between_two_beats() -> None:
    notes = [TruthNote(at, "N") for at in range(300, 30_000, 300)]
    beats = [mark(note.index + 20, "N") for note in notes]
    table = live(beats, notes, 30_000, 360, since=3_010).table  # between an annotation and its beat
    whole = by_the_trainer(
        [beat for beat in beats if beat.index > 3_200], [note for note in notes if note.index > 3_200], 30_000
    )
    assert (table == whole).all()


@pytest.mark.parametrize("name", ["207", "208"])
def test_on_a_real_record_both_count_the_same(name: str) -> None:
    if not (library.folder() / f"{name}.atr").exists():
        pytest.skip(f"the MIT-BIH records are not in {library.folder()} (set $ECG_DATA)")
    annotations = library.read(name).annotations
    assert annotations is not None
    notes = [TruthNote(int(at), str(symbol)) for at, symbol in zip(annotations.index, annotations.symbol, strict=True)]
    known = [note for note in notes if note.symbol in CLASS_OF]
    kept = [note for number, note in enumerate(known) if number % 17]
    beats = [mark(note.index + 9, CLASS_OF[note.symbol]) for note in kept]
    window = match_window(RATE)
    beats += [
        mark(at, "V")
        for begin, end in zip(
            [note.index for note in notes if note.symbol == "["],
            [note.index for note in notes if note.symbol == "]"],
            strict=True,
        )
        for at in range(begin + window, end - window, 120)
    ]
    beats.sort(key=lambda beat: beat.index)
    end = notes[-1].index
    assert (live(beats, notes, end, 3600).table == by_the_trainer(beats, notes, end)).all()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_rhythm_label_of_the_database_is_shown_in_words(language: Language) -> None:
    labels = Labels(language)
    for label in MIT_BIH:
        words = labels.rhythm(f"({label}\0")
        assert words == RHYTHMS[label][language == "ja"] and "(" not in words and words != label
    assert labels.rhythm("(XYZ") == "XYZ"


async def test_the_strip_shows_the_rhythm_in_words() -> None:
    link = WardLink(1, 20, truth=True)
    async with running(link, truth=True) as (app, _):
        history = app.desk.ward.shown["bed-1"]
        history.truth.insert(-3, TruthNote(history.truth[-3].index, "+", "(B"))
        app.view._numbered_s = -1.0  # type: ignore[attr-defined]
        link.poke()
        app.frame()
        assert "bigeminy" in text(app) and "(B" not in text(app)


@given(
    st.integers(0, 58),
    st.sets(st.integers(0, 59), max_size=12),
    st.sampled_from([words for pair in RHYTHMS.values() for words in pair]),
)
@effort(max_examples=200, deadline=None)
def test_words_between_letters_leave_every_letter_its_place(at: int, letters: set[int], words: str) -> None:
    style = Style()
    row = [(" ", style)] * 60
    lay(row, set(letters), at, words, style)
    for cell in letters:
        row[cell] = ("N", style)
    line = "".join(segment.text for segment in joined(row))
    assert cell_len(line) == 60
    places = {cell_len(line[:place]) for place, sign in enumerate(line) if sign == "N"}
    assert letters <= places
