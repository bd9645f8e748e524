"""Histograms of fixed size know quantiles within two per cent."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg.settings import Config
from monitor.service.latency import Histogram, Latencies
from monitor.ward.ward import Ward
from tests.support.wards import CARD, MINUTE, WEIGHTS, Run, messages

NOW = 1_800_000_000_000_000_000


@given(st.lists(st.floats(0.002, 1e6), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_within_two_per_cent(values: list[float], share: float) -> None:
    histogram = Histogram()
    histogram.add(np.array(values))
    exact = float(np.quantile(values, share, method="inverted_cdf"))
    found = histogram.quantile(share)
    assert found is not None
    assert exact / 1.021 <= found <= exact * 1.021
    assert histogram.total == len(values)


@pytest.mark.parametrize("sent_ns", [0, NOW - 3601 * 10**9, NOW + 2 * 10**9])
def test_a_sender_without_a_clock_has_no_latency_but_its_beats_have(sent_ns: int) -> None:
    run, latencies = Run(), Latencies()
    run.ward = Ward(Config(), WEIGHTS, CARD.name, "cpu", lambda: NOW + 5_000_000)
    run.ward.wave("a", msgspec.structs.replace(messages(MINUTE, [])[0], sent_ns=sent_ns), NOW)
    run.step()
    assert {beat.latency_ms for beat in run.beats} == {5.0}
    latencies.take(run.beats)
    assert run.beats[0].sent_ns == 0  # so that it is no mark
    assert {stage.total for stage in latencies.stages.values()} == {0}


def test_nothing_counted_has_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None


def test_what_is_shown_is_of_the_last_two_turns() -> None:
    latencies = Latencies()
    latencies.add("total", 1000.0)
    latencies.turn()
    latencies.add("total", 10.0)
    assert latencies.shown(1.0) == 1000.0
    latencies.turn()
    latencies.turn()
    latencies.add("total", 10.0)
    assert latencies.shown(1.0) == pytest.approx(10.0)
    assert latencies.stages["total"].total == 3
