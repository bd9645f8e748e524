"""Encryption against a real Mosquitto, with certificates made for the test."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec
import pytest

from ecg.errors import UserError
from ecg.settings import MqttSettings, load
from ecg.wire import broker
from ecg.wire.broker import Broker
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from ecg.wire.tls import encryption
from tests.support.authority import Authority
from tests.support.brokers import Mosquitto, free_port, until

WILL = Outgoing("w/status", b"", True)


@pytest.fixture
def encrypted(authority: Authority, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A Mosquitto that speaks TLS and asks clients for a certificate."""
    certificate, key = authority.sign("broker", "127.0.0.1")
    running = Mosquitto(
        tmp_path,
        f"allow_anonymous true\ncafile {authority.file}\ncertfile {certificate}\nkeyfile {key}\n"
        "require_certificate true\n",
    )
    yield running
    running.stop()


def settings(authority: Authority, **other: object) -> MqttSettings:
    certificate, key = authority.sign("client", "127.0.0.1")
    given = MqttSettings(tls=True, ca_file=str(authority.file), cert_file=str(certificate), key_file=str(key))
    return msgspec.structs.replace(given, **other)


async def attempt(mqtt: MqttSettings, running: Mosquitto) -> Session:
    session = Session(mqtt, Broker("127.0.0.1", running.port, "external"), "one", lambda: WILL)
    await session.open()
    session.publish([Outgoing("w/beat", b"x", False)])
    await session.flush()
    await session.close()
    return session


async def test_an_encrypted_connection_with_a_certificate_carries_messages(
    authority: Authority, encrypted: Mosquitto
) -> None:
    session = await attempt(settings(authority), encrypted)
    assert session.outbox.confirmed == 1


async def test_a_broker_whose_certificate_nobody_signed_is_refused_unless_that_is_wanted(
    authority: Authority, encrypted: Mosquitto
) -> None:
    with pytest.raises(UserError, match=r"no connection to the broker .*certificate verify failed.* check \[mqtt\]"):
        await attempt(settings(authority, ca_file=""), encrypted)
    session = await attempt(settings(authority, ca_file="", tls_insecure=True), encrypted)
    assert session.outbox.confirmed == 1


async def test_a_certificate_of_another_host_is_refused(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.sign("elsewhere", "192.0.2.1")
    running = Mosquitto(tmp_path, f"allow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n")
    try:
        with pytest.raises(UserError, match="IP address mismatch"):
            await attempt(settings(authority), running)
    finally:
        running.stop()


async def test_a_certificate_of_another_authority_or_of_yesterday_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    for signer, days, said in ((Authority(authority.folder, "other"), 2, "issuer"), (authority, -1, "has expired")):
        certificate, key = signer.sign("broker", "127.0.0.1", days)
        running = Mosquitto(tmp_path, f"allow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n")
        try:
            with pytest.raises(UserError, match=f"certificate verify failed: .*{said}.*; check"):
                await attempt(settings(authority), running)
        finally:
            running.stop()


async def test_whoever_comes_in_the_place_of_a_broker_is_not_trusted_and_that_is_said(
    authority: Authority, tmp_path: Path
) -> None:
    first, key = authority.sign("broker", "127.0.0.1")
    running = Mosquitto(tmp_path, f"allow_anonymous true\ncertfile {first}\nkeyfile {key}\n")
    session = Session(settings(authority), Broker("127.0.0.1", running.port, "external"), "one", lambda: WILL)
    try:
        await session.open()
        running.stop()
        other, other_key = Authority(authority.folder, "other").sign("broker", "127.0.0.1")
        other.replace(first)
        other_key.replace(key)
        running.start()
        await until(lambda: "is not trusted ([SSL: CERTIFICATE_VERIFY_FAILED]" in session.problem)
        assert not session.connected
    finally:
        await session.close()
        running.stop()


async def test_a_client_without_a_certificate_is_told_so(authority: Authority, encrypted: Mosquitto) -> None:
    with pytest.raises(UserError, match=r"no connection to the broker .* cert_file and key_file in config.toml"):
        await attempt(settings(authority, cert_file="", key_file=""), encrypted)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (MqttSettings(ca_file="ca.pem"), "ca_file is given, but tls is false"),
        (MqttSettings(key_file="k.pem"), "key_file is given, but tls is false"),
        (MqttSettings(tls=True, key_file="k.pem"), "key_file is given without cert_file"),
        (MqttSettings(tls=True, ca_file="/no/ca.pem"), "ca_file = '/no/ca.pem' cannot be used: No such file"),
        (
            MqttSettings(tls=True, cert_file="/nowhere/c.pem"),
            "cert_file = '/nowhere/c.pem' cannot be used: No such file",
        ),
        (MqttSettings(tls=True, ca_file=__file__), "ca_file = .* cannot be used"),
        (MqttSettings(tls=True, cert_file=__file__), "cert_file = .* cannot be used"),
        (MqttSettings(tls=True, ca_file="a\0b"), "ca_file = .* cannot be used"),
    ],
)
def test_tls_settings_that_do_not_fit_are_one_sentence(given: MqttSettings, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as told:
        encryption(given)
    assert "\n" not in str(told.value)


def test_the_settings_file_says_of_the_broker_what_the_defaults_say() -> None:
    assert load(Path(__file__).parents[3] / "config.toml").mqtt == MqttSettings()


def test_without_tls_there_is_no_context_and_with_it_the_broker_is_checked() -> None:
    assert encryption(MqttSettings()) is None
    checked = encryption(MqttSettings(tls=True))
    assert checked is not None and checked.check_hostname and checked.verify_mode is ssl.CERT_REQUIRED


def test_the_embedded_broker_is_not_started_for_who_wants_encryption() -> None:
    with (
        pytest.raises(UserError, match="knows no TLS"),
        broker.ensure(MqttSettings(port=free_port(), tls=True)),
    ):
        pass
