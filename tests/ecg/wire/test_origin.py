"""Who may ask a port that programs serve, and where they can be served."""

from __future__ import annotations

import socket

import pytest

from ecg.wire.origin import misled, refusal, unusable
from tests.support.brokers import free_port, has_ipv6


@pytest.mark.parametrize(
    ("said", "origin", "host", "allowed"),
    [
        ("127.0.0.1:8000", None, "127.0.0.1", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1", True),
        ("localhost:8000", "http://localhost:8000", "127.0.0.1", True),
        ("[::1]:8000", "http://[::1]:8000", "::1", True),
        ("ecg.ward.example:8000", "http://ecg.ward.example:8000", "ecg.ward.example", True),
        ("192.0.2.7:8000", "http://192.0.2.7:8000", "0.0.0.0", True),
        ("localhost:8000", "http://127.0.0.1:8000", "127.0.0.1", False),
        ("127.0.0.1:8000", "http://127.0.0.1:8001", "127.0.0.1", False),
        ("127.0.0.1:8000", "http://127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1:8001", None, "127.0.0.1", False),
        ("127.0.0.1:8000", "null", "127.0.0.1", False),
        ("127.0.0.1:8000", "", "127.0.0.1", False),
        ("127.0.0.1:8000", "http://127.0.0.1.evil.example:8000", "127.0.0.1", False),
        ("evil.example:8000", "http://evil.example:8000", "127.0.0.1", False),
        ("evil.example:8000", "http://evil.example:8000", "0.0.0.0", False),
        ("localhost:8000", None, "192.0.2.7", False),
        (None, None, "127.0.0.1", False),
        ("127.0.0.1:port", None, "127.0.0.1", False),
        ("[::1:8000", None, "::1", False),
        ("[0:0::1]:8000", "http://[0:0::1]:8000", "[::1]", True),
        ("[2001:db8::7]:8000", None, "::", True),
        ("[::2]:8000", None, "::1", False),
        ("evil.example:8000", None, "::", False),
        ("localhost:8000", None, "LocalHost", True),
    ],
)
def test_a_request_is_for_this_server_and_from_its_own_page(
    said: str | None, origin: str | None, host: str, allowed: bool
) -> None:
    assert (refusal(said, origin, host, 8000) == "") is allowed


@pytest.mark.parametrize(
    ("said", "host", "wrong"),
    [
        ("127.0.0.1:9100", "127.0.0.1", False),
        ("localhost", "127.0.0.1", False),
        (None, "127.0.0.1", False),
        ("[::1]:1", "::1", False),
        ("evil.example:9100", "127.0.0.1", True),
        ("evil.example", "0.0.0.0", True),
        ("", "127.0.0.1", True),
        ("[::1", "::1", True),
    ],
)
def test_a_name_that_only_resolves_to_the_loopback_is_not_ours(said: str | None, host: str, wrong: bool) -> None:
    assert misled(said, host) is wrong


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "", "0.0.0.0"])
def test_an_address_of_this_machine_can_be_served(host: str) -> None:
    assert unusable(host, free_port()) == ""


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize("host", ["::1", "[::1]", "::", "0:0:0:0:0:0:0:1"])
def test_so_can_an_ipv6_address(host: str) -> None:
    assert unusable(host, free_port()) == ""


@pytest.mark.parametrize("host", ["192.0.2.7", "[::1", "ü..x", "a\0b", "a" * 300, "no.such.host.invalid", "::1:::"])
def test_what_cannot_be_served_is_said_in_a_few_words(host: str) -> None:
    why = unusable(host, free_port())
    assert why and "\n" not in why and len(why) < 200


def test_a_port_that_is_taken_or_none_cannot_be_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "in use" in unusable("127.0.0.1", taken.getsockname()[1])
    assert unusable("127.0.0.1", 70_000)
