"""Figures for Prometheus, as a scrape sees them."""

from __future__ import annotations

import urllib.request

import pytest

from ecg.errors import UserError
from monitor.link.protocol import ServiceStatus
from monitor.service import metrics
from monitor.service.latency import Latencies
from tests.support.brokers import free_port


def test_a_scrape_gets_counts_and_latencies() -> None:
    latencies = Latencies()
    latencies.add("total", 12.5)
    status = ServiceStatus(
        broker="b",
        device="cpu",
        model="m",
        beds=3,
        beats_per_s=1.0,
        latency_p50_ms=None,
        latency_p99_ms=None,
        lookahead_ms=467.4,
        received=900,
        lost=7,
        repeated=1,
        junk=2,
    )
    port = free_port()
    stop = metrics.serve(port, metrics.ServiceCollector(lambda: status, lambda: 41, latencies))
    try:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        with pytest.raises(UserError, match=f"metrics_port = {port} .* cannot be used"):
            metrics.serve(port, metrics.ServiceCollector(lambda: status, lambda: 41, latencies))
    finally:
        stop()
    assert "ecg_monitor_beats_total 41.0" in text
    assert "ecg_monitor_samples_lost_total 7.0" in text
    assert 'ecg_monitor_latency_seconds{quantile="1",stage="total"} 0.0125' in text
    buckets = [line for line in text.splitlines() if line.startswith("ecg_monitor_overhead_seconds_bucket")]
    counts = {float(line.split('"')[1]): float(line.split()[-1]) for line in buckets}
    assert [count for edge, count in counts.items() if edge < 0.012] == [0.0] * sum(edge < 0.012 for edge in counts)
    assert {count for edge, count in counts.items() if edge > 0.0135} == {1.0}
