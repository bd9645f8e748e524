"""Figures for Prometheus, on a port of the loopback, where the settings ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ecg.errors import UserError
from monitor.link.protocol import ServiceStatus
from monitor.service.latency import Latencies

QUANTILES = (0.5, 0.9, 0.99, 1.0)
BUCKET_BINS = 3
"""Bins of two per cent in one Prometheus bucket."""


class ServiceCollector(Collector):
    """Reads the service's figures when they are asked for."""

    def __init__(self, status: Callable[[], ServiceStatus], beats: Callable[[], int], latencies: Latencies) -> None:
        self._status, self._beats, self._latencies = status, beats, latencies

    def collect(self) -> Iterator[Metric]:
        """The metrics; latencies in seconds, as Prometheus wants them."""
        now = self._status()
        for name, value, about in (
            ("ecg_monitor_beds", now.beds, "Beds known"),
            ("ecg_monitor_connected", int(now.connected), "1 while the broker is there"),
            ("ecg_monitor_lookahead_seconds", now.lookahead_ms / 1000, "Signal needed after an R-peak"),
        ):
            yield GaugeMetricFamily(name, about, value)
        for name, value, about in (
            ("ecg_monitor_beats", self._beats(), "Beats classified"),
            ("ecg_monitor_samples_received", now.received, "Samples received, per lead"),
            ("ecg_monitor_samples_lost", now.lost, "Samples known to be lost, per lead"),
            ("ecg_monitor_samples_repeated", now.repeated, "Samples that came again or too late, per lead"),
            ("ecg_monitor_messages_unusable", now.junk, "Messages that could not be used"),
        ):
            yield CounterMetricFamily(name, about, value)
        stages = GaugeMetricFamily(
            "ecg_monitor_latency_seconds",
            "Time spent in a stage, quantiles since the start",
            labels=("stage", "quantile"),
        )
        for stage, histogram in self._latencies.stages.items():
            for share in QUANTILES:
                milliseconds = histogram.quantile(share)
                if milliseconds is not None:
                    stages.add_metric((stage, f"{share:g}"), milliseconds / 1000)
        yield stages
        total = self._latencies.stages["total"]
        buckets = [(f"{edge / 1000:.6g}", float(count)) for edge, count in total.below(BUCKET_BINS)]
        about = "Last needed sample sent to beat published"
        yield HistogramMetricFamily("ecg_monitor_overhead_seconds", about, [*buckets, ("+Inf", total.total)], None)


def serve(port: int, collector: ServiceCollector) -> Callable[[], None]:
    """Answer Prometheus on 127.0.0.1:port; returns what ends it. Raises UserError where the port is taken."""
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        raise UserError(
            f"metrics_port = {port} of [monitor] cannot be used ({error.strerror}); give another, or 0 for none"
        ) from None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(2)

    return stop
