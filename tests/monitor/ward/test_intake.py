"""Chunks in any order become one unbroken signal, and every sample is accounted for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.records.record import MISSING
from ecg.settings import MonitorSettings
from ecg.wire.messages import SCHEMA, Wave
from monitor.ward.events import ResetReason
from monitor.ward.intake import Intake
from monitor.ward.ledger import Ledger
from monitor.ward.pieces import Begin, End, Piece, Signal

RATE = 360.0


def wave(samples: np.ndarray, index: int, stream: str = "r-1-0", rate: float = RATE, leads: int = 1) -> Wave:
    """A message with these ADU samples (the same on every lead)."""
    rows = np.repeat(samples.astype("<i2")[:, None], leads, axis=1)
    names = [f"L{n}" for n in range(leads)]
    return Wave(
        v=SCHEMA,
        stream=stream,
        record="r",
        seq=0,
        index=index,
        rate=rate,
        leads=names,
        gain=[100.0] * leads,
        baseline=[0.0] * leads,
        sent_ns=0,
        samples=rows.tobytes(),
    )


def cut(samples: np.ndarray, bounds: list[int]) -> list[Wave]:
    """The samples as messages that end at these indices."""
    edges = sorted({0, *bounds, len(samples)})
    return [wave(samples[a:b], a) for a, b in pairwise(edges)]


def real(length: int, seed: int = 0) -> np.ndarray:
    """Samples that no two neighbours of are equal, as in a real signal with some noise."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.choice([-3, -2, -1, 1, 2, 3], length)).clip(-3000, 3000)


def play(messages: list[Wave], end: bool = True) -> tuple[list[Piece], Ledger]:
    """Everything a bed gets out of these messages."""
    ledger = Ledger()
    intake = Intake(bed="b", settings=MonitorSettings(), ledger=ledger)
    pieces: list[Piece] = []
    for message in messages:
        pieces += intake.offer(message)
    if end:
        pieces += intake.end()
    return pieces, ledger


def heard(pieces: list[Piece]) -> list[tuple[int, bool, list[float]]]:
    """(start, lead off, samples) of each unbroken part, however it was cut."""
    parts: list[tuple[int, bool, list[float]]] = []
    fresh = True
    for piece in pieces:
        if isinstance(piece, Signal):
            if fresh or parts[-1][1] != piece.lead_off:
                parts.append((piece.index, piece.lead_off, []))
            assert piece.index == parts[-1][0] + len(parts[-1][2])
            parts[-1][2].extend(piece.samples.tolist())
            fresh = False
        else:
            fresh = True
    return parts


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_repeats_and_reordering_change_nothing_and_are_counted(data: st.DataObject) -> None:
    samples = real(2000)
    messages = cut(samples, data.draw(st.lists(st.integers(1, 1999), max_size=30)))
    order = data.draw(st.permutations(range(len(messages))))
    # neighbours may overtake one another as far as the monitor waits for them
    near = sorted(range(len(messages)), key=lambda place: messages[place].index + 300 * (order[place] % 2))
    repeats = data.draw(st.lists(st.integers(0, len(messages) - 1), max_size=10))
    sent = [messages[place] for place in near] + [messages[place] for place in repeats]
    pieces, ledger = play(sent)
    (start, off, got), *rest = heard(pieces)
    assert (start, off, rest) == (0, False, [])
    assert np.allclose(got, samples / 100, atol=1e-6)
    assert (ledger.received, ledger.lost) == (2000, 0)
    assert ledger.repeated == sum(len(messages[place].samples) // 2 for place in repeats)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_after_any_mix_of_loss_repeats_and_reordering_the_ledger_balances(data: st.DataObject) -> None:
    samples = real(3500)  # less than is far ahead
    messages = cut(samples, data.draw(st.lists(st.integers(1, 3499), max_size=40)))
    places = data.draw(st.lists(st.integers(0, len(messages) - 1), min_size=1, max_size=60))
    _, ledger = play([messages[place] for place in places])
    ledger.run("b", "r-1-0").published = 3500
    assert ledger.balances()
    kept = set(places)
    unique = sum(len(messages[place].samples) // 2 for place in kept)
    assert ledger.received <= unique
    assert ledger.received + ledger.repeated == sum(len(messages[place].samples) // 2 for place in places)


@given(st.lists(st.integers(1, 5999), max_size=30), st.lists(st.integers(1, 5999), max_size=30))
@settings(max_examples=60, deadline=None)
def test_lead_off_is_found_at_the_same_sample_however_the_signal_is_cut(one: list[int], other: list[int]) -> None:
    samples = real(6000)
    samples[1500:2700] = 77
    samples[3600:3700] = MISSING
    samples[4000:4700] = MISSING
    samples[4700:5200] = samples[3999]
    first, second = (heard(play(cut(samples, bounds))[0]) for bounds in (one, other))
    assert first == second
    assert [(start, off) for start, off, _ in first if off] == [(1500 + 720, True), (3999 + 720, True)]
    assert first[2][0] == 2700


def test_a_short_gap_is_bridged_and_a_long_one_begins_anew() -> None:
    samples = real(20_000)
    messages = cut(samples, list(range(90, 20_000, 90)))
    pieces, ledger = play(messages[:10] + messages[14:60] + messages[70:])
    parts = heard(pieces)
    assert [start for start, _, _ in parts] == [0, 70 * 90]
    assert ledger.lost == 14 * 90
    begins = [(piece.reason, piece.seconds) for piece in pieces if isinstance(piece, Begin)]
    assert begins == [(ResetReason.NEW_BED, 0.0), (ResetReason.GAP, 2.5)]
    bridge = parts[0][2][900:1260]
    assert np.allclose(np.diff(bridge), np.diff(bridge)[0], atol=1e-4)


def test_a_late_chunk_is_waited_for() -> None:
    samples = real(3000)
    messages = cut(samples, list(range(100, 3000, 100)))
    late = messages.pop(3)
    pieces, ledger = play([*messages[:8], late, *messages[8:]])
    assert len(heard(pieces)) == 1
    assert (ledger.received, ledger.lost) == (3000, 0)


def test_a_new_stream_begins_anew_and_an_old_one_does_not_come_back() -> None:
    samples = real(500)
    old, new = wave(samples, 0), wave(samples, 0, "r-1-1")
    intake = Intake(bed="b", settings=MonitorSettings(), ledger=Ledger())
    pieces = intake.offer(old)
    intake.owner.announced = "r-1-1"
    pieces += intake.offer(new) + intake.offer(old)
    assert [type(piece) for piece in pieces] == [Begin, Signal, End, Begin, Signal]
    assert intake.ledger.repeated == 500


def test_a_monitor_that_joins_late_does_not_call_lost_what_it_never_waited_for() -> None:
    samples = real(500)
    _, ledger = play([wave(samples, 100_000), wave(samples, 100_500)])
    assert (ledger.received, ledger.lost) == (1000, 0)
    ledger.run("b", "r-1-0").published = 101_000
    assert (ledger.lost, ledger.balances()) == (100_000, True)


def test_terms_that_change_within_a_stream_are_refused() -> None:
    intake = Intake(bed="b", settings=MonitorSettings(), ledger=Ledger())
    intake.offer(wave(real(100), 0))
    assert intake.offer(wave(real(100), 100, rate=500.0)) == []
    assert intake.offer(wave(real(100), 100, leads=2)) == []
    assert [said[:21] for said in intake.owner.refused] == ["500 Hz and leads ['L0", "360 Hz and leads ['L0"]
    assert intake.ledger.junk == 2
    assert len(heard(intake.offer(wave(real(100), 100)))) == 1


def test_a_stream_said_to_be_over_may_go_on() -> None:
    intake = Intake(bed="b", settings=MonitorSettings(), ledger=Ledger())
    intake.offer(wave(real(100), 0))
    assert [type(piece) for piece in intake.end()] == [End]
    pieces = intake.offer(wave(real(100), 130))
    assert isinstance(pieces[0], Begin)
    assert pieces[0].index == 130
    assert intake.ledger.lost == 30
