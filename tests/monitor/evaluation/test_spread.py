"""Records spread over processes are heard as in one ward."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ecg.records import library
from ecg.settings import Config
from monitor.evaluation import spread
from monitor.evaluation.replay import Heard, listen
from tests.support.wards import CARD, WEIGHTS, part

EXCERPT = library.read(library.EXCERPT)


@given(st.lists(st.floats(1, 100), min_size=1, max_size=40), st.integers(1, 8))
def test_shares_hold_every_record_once_and_are_of_about_one_size(sizes: list[float], count: int) -> None:
    found = spread.shares(sizes, count)
    assert sorted(place for part_of in found for place in part_of) == list(range(len(sizes)))
    assert len(found) == min(count, len(sizes))
    filled = [sum(sizes[place] for place in part_of) for part_of in found]
    assert max(filled) - min(filled) <= max(sizes) + 1e-9


def said(heard: list[Heard]) -> list[Heard]:
    """Without the time of day and the names of beds."""
    return [
        replace(one, beats=[msgspec.structs.replace(beat, bed="", received_ns=0, latency_ms=0.0) for beat in one.beats])
        for one in heard
    ]


def test_two_processes_hear_what_one_hears_and_say_how_far_they_are() -> None:
    records = [
        replace(part(EXCERPT, begin, begin + 7200 + 360 * place), name=str(place))
        for place, begin in enumerate((0, 30_000, 60_000))
    ]
    done: list[float] = []
    found = spread.listen(records, Config(), WEIGHTS, "cpu", done.append, CARD.doubt, processes=2)
    assert said(found) == said(listen(records, Config(), WEIGHTS, "cpu", doubt=CARD.doubt))
    assert all(len(one.beats) > 15 for one in found)
    assert len(done) == 2
    assert done[-1] == 1.0
