"""Figures for Prometheus, and whether all is well, on a port of its own, where the settings ask for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ecg import tokens
from ecg.errors import UserError
from ecg.settings import MonitorSettings
from ecg.wire.broker import bare, is_loopback
from ecg.wire.origin import misled
from ecg.wire.topics import readable
from monitor.link.protocol import ServiceStatus
from monitor.service.bed_states import Burden
from monitor.service.latency import Latencies

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

QUANTILES = (0.5, 0.9, 0.99, 1.0)
BUCKET_BINS = 3
"""Bins of two per cent in one Prometheus bucket."""

LOOK_SECONDS: Final = 0.5
"""The server looks so often whether it shall end."""
MOST_AT_ONCE: Final = 32
"""Requests that are answered at a time; whoever comes beyond that is hung up on."""


class ServiceCollector(Collector):
    """Reads the service's figures when they are asked for.

    queues: messages unread, messages unsent, and tasks.
    """

    def __init__(
        self,
        status: Callable[[], ServiceStatus],
        beats: Callable[[], int],
        latencies: Latencies,
        queues: Callable[[], tuple[int, int, int]] = lambda: (0, 0, 0),
    ) -> None:
        self._status, self._beats, self._latencies, self._queues = status, beats, latencies, queues

    def collect(self) -> Iterator[Metric]:
        """The metrics; latencies in seconds, as Prometheus wants them."""
        now = self._status()
        unread, unsent, tasks = self._queues()
        for name, value, about in (
            ("ecg_monitor_beds", now.beds, "Beds known"),
            ("ecg_monitor_connected", int(now.connected), "1 while the broker is there"),
            ("ecg_monitor_inbox", unread, "Messages received and not read yet"),
            ("ecg_monitor_outbox", unsent, "Messages that the broker has not confirmed yet"),
            ("ecg_monitor_tasks", tasks, "Tasks of the event loop"),
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


class BedCollector(Collector):
    """Reads the alarms of each bed when they are asked for: with many beds nearly all that a scrape costs.

    So it stands beside the service's collector: who asks for names gets only what the collectors of these have.
    """

    def __init__(self, burdens: Callable[[], list[Burden]]) -> None:
        self._burdens = burdens

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        total = CounterMetricFamily("ecg_monitor_alarms", "Alarms raised", labels=("bed", "priority"))
        hour = GaugeMetricFamily(
            "ecg_monitor_alarms_last_hour", "Alarms raised in the last hour of signal", labels=("bed", "priority")
        )
        held = GaugeMetricFamily(
            "ecg_monitor_alarms_held", "Alarms held back for noise since the stream began", labels=("bed",)
        )
        for one in self._burdens():
            for priority, count in one.total.items():
                total.add_metric((one.bed, priority), count)
                hour.add_metric((one.bed, priority), one.last_hour[priority])
            held.add_metric((one.bed,), one.held)
        yield from (total, hour, held)


class Answers(NamedTuple):
    """What is answered. healthy: is all well, and figures to go with it. token: asked for, "" for none."""

    collectors: Sequence[Collector]
    healthy: Callable[[], tuple[bool, dict[str, Any]]]
    token: str = ""


def token(monitor: MonitorSettings) -> str:
    """The token that is asked for, "" for none. Raises UserError where there must be one."""
    if monitor.metrics_token_file:
        return tokens.read(monitor.metrics_token_file, "[monitor] metrics_token_file")
    if not is_loopback(monitor.metrics_host):
        raise UserError(
            f"[monitor] metrics_host = {monitor.metrics_host!r} is reached from elsewhere: name a file with a token in "
            "metrics_token_file"
        )
    return ""


def application(answers: Answers, host: str = "127.0.0.1") -> WSGIApplication:
    """/metrics for Prometheus, /healthz for whoever restarts what does not live: 200, or 503.

    host: as served. Where no token is asked for, a request must name it: a page of another site may not read it.
    """
    registry = CollectorRegistry(auto_describe=True)
    for collector in answers.collectors:
        registry.register(collector)
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        place = environ.get("PATH_INFO", "")
        if not answers.token and misled(environ.get("HTTP_HOST"), host):
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"this host is not served here\n"]
        if not tokens.same(answers.token, tokens.bearer(environ.get("HTTP_AUTHORIZATION"))):
            start("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Type", "text/plain")])
            return [b"give the token as Authorization: Bearer\n"]
        if place in ("/", "/metrics"):
            return metrics(environ, start)
        if place == "/healthz":
            well, figures = answers.healthy()
            start("200 OK" if well else "503 Service Unavailable", [("Content-Type", "application/json")])
            return [msgspec.json.encode({"status": "ok" if well else "failing", **figures}), b"\n"]
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"/metrics and /healthz are here\n"]

    return answer


def serve(host: str, port: int, answers: Answers) -> Callable[[], None]:
    """Answer on that address; returns what ends it. Raises UserError where it cannot be used."""
    try:
        server = make_server(bare(host), port, application(answers, host), _server(host), _Silent)
    except OSError as error:
        raise UserError(
            f"metrics_port = {port} of [monitor] cannot be used ({error.strerror}); give another, or 0 for none"
        ) from None
    except (ValueError, TypeError):
        raise UserError(f"metrics_host = {readable(host)!r} of [monitor] is no host's name") from None
    thread = threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), name="metrics", daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(2)

    return stop


def _server(host: str) -> type[WSGIServer]:
    class Threading(ThreadingMixIn, WSGIServer):
        """A request that dawdles keeps no other waiting, nor the end."""

        daemon_threads = True
        block_on_close = False
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        request_queue_size = MOST_AT_ONCE
        room = threading.BoundedSemaphore(MOST_AT_ONCE)

        def process_request(self, request: Any, client_address: Any) -> None:
            """In a thread of its own, where there is room."""
            if self.room.acquire(blocking=False):
                super().process_request(request, client_address)
            else:
                self.shutdown_request(request)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            """One request."""
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.room.release()

    return Threading


class _Silent(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Nothing."""
