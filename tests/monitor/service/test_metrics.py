"""Figures for Prometheus, as a scrape sees them."""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ecg.errors import UserError
from ecg.settings import MonitorSettings
from monitor.link.protocol import ServiceStatus
from monitor.service import metrics
from monitor.service.bed_states import Burden
from monitor.service.latency import Latencies
from tests.support.brokers import free_port, has_ipv6


def ask(port: int, place: str, token: str = "", named: str = "", host: str = "127.0.0.1") -> tuple[int, str]:
    """Status and content of an answer. named: host that the request is for, where it is another."""
    asked = urllib.request.Request(f"http://{host}:{port}{place}")
    if token:
        asked.add_header("Authorization", f"Bearer {token}")
    if named:
        asked.add_header("Host", named)
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_whoever_has_no_token_is_told_nothing(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    settings = MonitorSettings(metrics_host="0.0.0.0", metrics_token_file=str(tmp_path / "token"))
    answers = metrics.Answers((), lambda: (True, {}), metrics.token(settings))
    port = free_port()
    stop = metrics.serve("127.0.0.1", port, answers)
    try:
        for place in ("/metrics", "/healthz", "/"):
            for wrong in ("", "0123456789abcdee", "ü"):
                status, text = ask(port, place, wrong.encode().decode("latin-1"))
                assert (status, "ecg_" in text) == (401, False)
        assert ask(port, "/healthz", "0123456789abcdef") == (200, '{"status":"ok"}\n')
    finally:
        stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_page_whose_name_resolves_to_the_loopback_reads_nothing(host: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    port = free_port()
    stop = metrics.serve(host, port, metrics.Answers((), lambda: (True, {})))
    try:
        for place in ("/metrics", "/healthz"):
            assert ask(port, place, named=f"evil.example:{port}", host=host)[0] == 403
            assert ask(port, place, named="localhost:1", host=host)[0] == 200  # through a tunnel
            assert ask(port, place, host=host)[0] == 200
    finally:
        stop()


def test_so_many_requests_are_answered_at_a_time() -> None:
    port = free_port()
    stop = metrics.serve("127.0.0.1", port, metrics.Answers((), lambda: (True, {})))
    try:
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(metrics.MOST_AT_ONCE)]
        beyond = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3)]
        assert [one.recv(1) for one in beyond] == [b""] * 3  # hung up on
        idle.pop().close()
        for one in (*idle, *beyond):
            one.close()
        asked = 0
        while asked < 200:  # the threads of those that left end soon
            try:
                assert ask(port, "/healthz")[0] == 200
                break
            except (OSError, http.client.HTTPException):
                asked += 1
        assert asked < 200
    finally:
        stop()


@pytest.mark.parametrize("host", ["ü..x", "a\0b", "no.such.host.invalid"])
def test_an_odd_host_is_one_sentence(host: str) -> None:
    with pytest.raises(UserError, match=r"metrics_(host|port) = .* of \[monitor\] "):
        metrics.serve(host, free_port(), metrics.Answers((), lambda: (True, {})))


def test_an_address_that_is_reached_from_elsewhere_needs_a_token() -> None:
    assert metrics.token(MonitorSettings()) == ""
    with pytest.raises(UserError, match="is reached from elsewhere: name a file with a token"):
        metrics.token(MonitorSettings(metrics_host="0.0.0.0"))


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
    port, healthy, asked = free_port(), [True], list[str]()

    def burdens() -> list[Burden]:
        asked.append("beds")
        return [Burden("a", {"high": 3, "low": 9}, {"high": 1, "low": 2}, 5)]

    answers = metrics.Answers(
        (metrics.ServiceCollector(lambda: status, lambda: 41, latencies), metrics.BedCollector(burdens)),
        lambda: (healthy[0], {"beds": 3}),
    )
    stop = metrics.serve("127.0.0.1", port, answers)
    try:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        with pytest.raises(UserError, match=f"metrics_port = {port} .* cannot be used"):
            metrics.serve("127.0.0.1", port, answers)
        asked.clear()
        few = ask(port, "/metrics?name[]=ecg_monitor_beats_total&name[]=ecg_monitor_beds")[1].splitlines()
        assert [line for line in few if line[0] != "#"] == ["ecg_monitor_beds 3.0", "ecg_monitor_beats_total 41.0"]
        assert not asked  # beds cost nothing where nobody wants them
        assert ask(port, "/healthz") == (200, '{"status":"ok","beds":3}\n')
        healthy[0] = False
        assert ask(port, "/healthz") == (503, '{"status":"failing","beds":3}\n')
        assert ask(port, "/else")[0] == 404
    finally:
        stop()
    assert "ecg_monitor_beats_total 41.0" in text
    assert 'ecg_monitor_alarms_total{bed="a",priority="high"} 3.0' in text
    assert 'ecg_monitor_alarms_last_hour{bed="a",priority="low"} 2.0' in text
    assert 'ecg_monitor_alarms_held{bed="a"} 5.0' in text
    assert "ecg_monitor_samples_lost_total 7.0" in text
    assert 'ecg_monitor_latency_seconds{quantile="1",stage="total"} 0.0125' in text
    buckets = [line for line in text.splitlines() if line.startswith("ecg_monitor_overhead_seconds_bucket")]
    counts = {float(line.split('"')[1]): float(line.split()[-1]) for line in buckets}
    assert [count for edge, count in counts.items() if edge < 0.012] == [0.0] * sum(edge < 0.012 for edge in counts)
    assert {count for edge, count in counts.items() if edge > 0.0135} == {1.0}
