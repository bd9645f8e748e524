"""A port that something else listens at than an MQTT broker: one sentence that says what, and soon."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire import broker
from tests.support.brokers import Mosquitto


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A port that answers everybody's first words with this; None: with silence."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        held = []

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                held.append(line)
                if answer is not None and line.recv(64):
                    line.sendall(answer)
                    line.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        for line in held:
            line.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "it is a web server"),
        (b"\x15\x03\x03\x00\x02\x02\x0a", "it speaks TLS; set tls = true"),
        (b"220 mail\r\n", "it begins with b'220 mail"),
        (None, "it says nothing within 0.2 s"),
    ],
)
def test_what_is_no_broker_is_named(answer: bytes | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "ANSWER_SECONDS", 0.2)
    with (
        listening(answer) as port,
        pytest.raises(UserError, match="is no MQTT broker: " + said.replace("(", ".")),
        broker.ensure(MqttSettings(port=port)),
    ):
        pass


def test_a_broker_is_none_even_where_it_hangs_up_on_those_it_does_not_know(mosquitto: Mosquitto) -> None:
    assert broker.stranger("127.0.0.1", mosquitto.port) == ""
    with listening(b"") as port:
        assert broker.stranger("127.0.0.1", port) == ""
