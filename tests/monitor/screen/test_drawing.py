"""Envelopes, sweep, playout and text: what is drawn is what was sent, however it came in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.geometry import Size

from ecg.trends import variability
from monitor.link.protocol import BeatMark, BedDetail, Strip
from monitor.screen.draw.envelope import envelope
from monitor.screen.draw.palette import PALETTES, PHOSPHOR
from monitor.screen.draw.paper import Paper
from monitor.screen.draw.plaintext import clean, clock, fit, right
from monitor.screen.draw.sweep import NORMAL, SweepPage
from monitor.screen.labels import Labels
from monitor.screen.state.history import BedHistory
from monitor.screen.state.playout import Playout
from monitor.screen.state.rhythm import trend
from monitor.screen.widgets.strip_view import StripView
from monitor.screen.widgets.tiles import LEAST_HEIGHT, LEAST_WIDTH, MOST_TILES, arrange
from tests.support.driving import settings
from tests.support.shown_ward import excerpt

RATE = 360.0


def told(index: int, samples: np.ndarray, fresh: bool = False, beats: list[BeatMark] | None = None) -> BedDetail:
    strip = Strip(index, samples.astype("<f4").tobytes())
    return BedDetail(
        bed="bed", stream="s/0", fresh=fresh, strips=[strip] if len(samples) else [], beats=beats or [], truth=[]
    )


def beat(index: int, cls: str = "N", rr: float | None = 800.0) -> BeatMark:
    return BeatMark(index, cls, [1.0, 0, 0, 0, 0], rr, 5.0)


@given(
    st.lists(st.floats(-3, 3, width=32) | st.just(float("nan")), min_size=1, max_size=300),
    st.integers(0, 50),
    st.floats(0.6, 20.0),
)
@effort(max_examples=150, deadline=None)
def test_the_envelope_holds_every_sample(values: list[float], start: int, per_dot: float) -> None:
    samples = np.array(values, np.float32)
    first, last = int(start / per_dot), int((start + len(samples)) / per_dot) + 1
    low, high = envelope(samples, start, first, last, per_dot)
    edges = np.ceil(np.arange(first, last + 1) * per_dot)
    for offset, value in enumerate(samples):
        column = int(np.searchsorted(edges, start + offset, "right")) - 1
        if not 0 <= column < last - first:
            continue
        if not np.isnan(value):
            assert low[column] <= value <= high[column]


def test_a_spike_of_one_sample_reaches_its_full_height_on_the_page() -> None:
    samples = np.zeros((3600, 1), np.float32)
    samples[1777] = 2.0
    history = BedHistory(bed="bed", seconds=60)
    history.take(told(0, samples, fresh=True), RATE, ["MLII"])
    paper = Paper(100, 12)
    page = SweepPage(paper)
    page.advance(history, 2000.0)
    top = paper.rows_of(np.array([2.0], np.float32), 0.0)[0]
    drawn = np.flatnonzero(page.trace.any(axis=1))
    assert drawn[0] == top // 4


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12), st.integers(0, 2**31))
@effort(max_examples=40, deadline=None)
def test_the_sweep_is_the_same_however_the_signal_came_in(sizes: list[int], seed: int) -> None:
    record = excerpt()
    whole = record.millivolts(0)[: sum(sizes), None]
    beats = [beat(at, "V" if at % 5 == 0 else "N") for at in range(90, len(whole), 260)]
    rng = np.random.default_rng(seed)
    pieces, lump = BedHistory(bed="bed", seconds=60), BedHistory(bed="bed", seconds=60)
    lump.take(told(0, whole, True, beats), RATE, ["MLII"])
    one, other = SweepPage(Paper(60, 8)), SweepPage(Paper(60, 8))
    at, position = 0, 0.0
    for number, size in enumerate(sizes):
        new = [b for b in beats if at <= b.index < at + size]
        pieces.take(told(at, whole[at : at + size], number == 0, new), RATE, ["MLII"])
        at += size
        position = max(position, at - float(rng.integers(0, 40)))
        one.advance(pieces, position)
    one.advance(pieces, float(at))
    other.advance(lump, float(at))
    assert one.head == other.head
    drawn = (one.trace > 0).any(axis=0)
    assert (drawn == (other.trace > 0).any(axis=0)).all()
    whole_cells = [one.cell_of(dot) for dot in range(one.head) if one.shows(dot) and one.shows(dot - 2)]
    assert (one.tint == other.tint)[whole_cells].all(), "but for the cell that the erase bar is cutting"


def test_history_keeps_what_it_should_and_marks_what_is_missing() -> None:
    history = BedHistory(bed="bed", seconds=10)
    signal = np.arange(9000, dtype=np.float32)[:, None]
    history.take(told(0, signal[:1000], fresh=True), RATE, ["MLII"])
    history.take(told(1200, signal[1200:3000]), RATE, ["MLII"])
    start, kept = history.samples(0, 900, 1300)
    assert start == 900
    assert (kept[:100] == signal[900:1000, 0]).all() and np.isnan(kept[100:300]).all()
    assert (kept[300:] == signal[1200:1300, 0]).all()
    history.take(told(2500, signal[2500:9000]), RATE, ["MLII"])
    assert (history.first, history.next) == (5400, 9000)
    assert (history.samples(0, 0, 10**6)[1] == signal[5400:, 0]).all()
    generation = history.generation
    history.take(told(0, signal[:10], fresh=True), RATE, ["MLII"])
    assert history.generation != generation and (history.first, history.next) == (0, 10)


@given(st.floats(0.3, 60.0), st.floats(0.02, 0.6), st.floats(0.005, 0.1))
@effort(max_examples=60, deadline=None)
def test_playout_follows_any_speed_without_going_back_or_past(speed: float, chunk: float, frame: float) -> None:
    playout = Playout()
    playout.start(0, 0.0)
    now, before = 0.0, 0.0
    while now < 6.0:
        now += frame
        available = int(now / chunk) * int(chunk * speed * RATE)
        position = playout.follow(available, RATE, now)
        assert before <= position <= available or position == before
        before = position
    assert available - before <= 2.5 * speed * RATE


@given(st.text(max_size=60), st.integers(1, 40))
@effort(max_examples=200, deadline=None)
def test_text_from_outside_is_harmless_and_fits(text: str, width: int) -> None:
    harmless = clean(text)
    assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 or sign in "\u200b\u202e\u2028" for sign in harmless)
    assert cell_len(fit(harmless, width)) == width
    assert cell_len(right(harmless, width)) == width


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0:00.0"), (61.26, "1:01.2"), (3599.99, "59:59.9"), (7325, "2:02:05")]
)
def test_clock(seconds: float, told: str) -> None:
    assert clock(seconds) == told


@given(st.integers(1, 300), st.integers(80, 300), st.integers(20, 100))
@effort(max_examples=200, deadline=None)
def test_tiles_are_never_too_small_and_hold_all_beds_where_they_fit(count: int, width: int, height: int) -> None:
    columns, rows = arrange(count, width, height)
    assert width // columns >= LEAST_WIDTH and height // rows >= LEAST_HEIGHT
    room = min((width // LEAST_WIDTH) * (height // LEAST_HEIGHT), MOST_TILES)
    assert columns * rows >= min(count, room)


def test_variability_of_a_known_rhythm() -> None:
    rr = [800.0, 840.0] * 10
    beats, at = [], 0
    for value in rr:
        at += int(value)
        beats.append(beat(at, "N", value))
    found = variability(beats)
    assert found is not None
    assert found.rmssd == pytest.approx(40.0)
    assert found.sdnn == pytest.approx(np.std(rr[1:], ddof=1))
    with_v = variability([*beats[:6], beat(0, "V", 300.0), *beats[6:]])
    assert with_v is not None and with_v.rmssd == pytest.approx(40.0), "intervals beside a V are left out"
    assert variability(beats[:5]) is None
    picture, low, high = trend(beats, 8, 2)
    assert [len(row) for row in picture] == [8, 8] and low < 800 < 840 < high


def test_each_theme_tells_classes_and_priorities_apart() -> None:
    for palette in PALETTES.values():
        assert len(set(palette.classes.values())) == 5
        assert len({ground for _, ground in palette.priorities.values()}) == 3
    assert settings(theme="colour-blind").screen.theme == "colour-blind"


def pulsed() -> BedHistory:
    """A bed with a pressure, an ECG lead and a plethysmogram, in this order."""
    seconds = np.arange(20 * RATE) / RATE
    wave = np.maximum(np.sin(2 * np.pi * seconds), 0).astype(np.float32)
    columns = np.stack((80 + 40 * wave, 0.8 * wave, 5000 + 300 * wave, seconds), axis=1).astype("<f4")
    history = BedHistory(bed="bed", seconds=60)
    history.take(
        told(0, columns, fresh=True, beats=[beat(19 * 360, "V")]),
        RATE,
        ["ABP", "II", "PLETH", "RESP"],
        ["mmHg", "mV", "NU", "NU"],
    )
    return history


def test_a_pulse_is_drawn_after_the_ecg_leads_and_fills_its_page() -> None:
    history = pulsed()
    assert [history.order(most) for most in (1, 2, 3)] == [[1], [1, 0], [1, 0, 2]]
    for lead in (0, 2):
        page = SweepPage(Paper(60, 8), lead, history.kind(lead))
        page.advance(history, 20 * RATE)
        rows = np.flatnonzero(page.trace.any(axis=1))
        assert rows[0] <= 1 and rows[-1] >= 6
        assert (page.tint == NORMAL).all()
    flat = Paper(60, 8).fitted(np.full(100, 90, np.float32), 20.0)
    assert np.isfinite(flat).all() and 0 < flat[0] < 1


def test_a_bed_with_a_pressure_shows_it_under_its_ecg(monkeypatch: pytest.MonkeyPatch) -> None:
    view, history = StripView(), pulsed()
    monkeypatch.setattr(StripView, "size", property(lambda _: Size(80, 30)))
    monkeypatch.setattr(view, "refresh", lambda *_: None)
    view.draw(history, 20 * RATE, paper=(25.0, 10.0, 2.0), palette=PHOSPHOR, labels=Labels("en"))
    assert [(page.lead, page.kind) for page in view.pages] == [(1, "ecg"), (0, "pressure"), (2, "pulse")]
    heads = [view.render_line(y).text[:6].strip() for y in range(30)]
    assert [name for name in heads if name in history.leads] == ["II", "ABP", "PLETH"]
    over_pressure = view.render_line(10).text
    assert "V" in view.render_line(0).text[6:] and over_pressure[6:].strip() == "120/80 mmHg"
