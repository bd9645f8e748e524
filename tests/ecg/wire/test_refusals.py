"""A broker that does not let the session do what it wants, in one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest
from amqtt.broker import Broker as Amqtt

from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from tests.support.brokers import MOSQUITTO, Mosquitto, free_port

WILL = Outgoing("w/status", b"gone", True)


@pytest.mark.parametrize(
    ("username", "password", "words"),
    [
        ("", "", "refuses the connection"),
        ("nurse", "wrong", "check \\[mqtt\\] username and password"),
    ],
)
async def test_a_refused_login_is_one_sentence(tmp_path: Path, username: str, password: str, words: str) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    strict = Mosquitto(tmp_path, "allow_anonymous false\n")
    try:
        with pytest.raises(UserError, match=words) as refused:
            await Session(
                MqttSettings(username=username, password=password),
                Broker("127.0.0.1", strict.port, "external"),
                "one",
                lambda: WILL,
            ).open()
        assert "\n" not in str(refused.value)
    finally:
        strict.stop()


async def test_a_refused_subscription_is_one_sentence() -> None:
    port = free_port()
    strict = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
                "amqtt.plugins.topic_checking.TopicAccessControlListPlugin": {"acl": {"anonymous": ["b/#"]}},
            },
        }
    )
    await strict.start()
    found = Broker("127.0.0.1", port, "external")
    refused = Session(MqttSettings(), found, "one", lambda: WILL, filters=("b/+", "a/+"), arrived=lambda *_: None)
    try:
        with pytest.raises(UserError, match=r"refuses the connection: it may not subscribe to a/\+"):
            await refused.open()
    finally:
        await refused.close()
        await strict.shutdown()


async def test_where_no_broker_answers_the_user_is_told() -> None:
    with pytest.raises(UserError, match=r"no connection to the broker .* check \[mqtt\] host, port and tls"):
        await Session(MqttSettings(), Broker("127.0.0.1", free_port(), "external"), "one", lambda: WILL).open()
