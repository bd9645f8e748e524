"""Histograms of fixed size know quantiles within two per cent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.service.latency import Histogram, Latencies


@given(st.lists(st.floats(0.002, 1e6), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_within_two_per_cent(values: list[float], share: float) -> None:
    histogram = Histogram()
    histogram.add(np.array(values))
    exact = float(np.quantile(values, share, method="inverted_cdf"))
    found = histogram.quantile(share)
    assert found is not None
    assert exact / 1.021 <= found <= exact * 1.021
    assert histogram.total == len(values)


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
