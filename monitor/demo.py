"""A demonstration needs a producer: start one that ends with us, always."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from ecg import programs
from ecg.errors import UserError
from ecg.programs import wait_or_kill
from ecg.settings import Config
from ecg.wire.broker import EMBEDDED, EXTERNAL, Broker, is_loopback, probe

START_SECONDS: Final = 20.0
END_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A producer of our own. begin: call it once somebody listens, so that not a sample is missed."""

    broker: Broker
    begin: Callable[[], None]


@contextmanager
def producer(
    config: Config, arguments: list[str], meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Demonstration]:
    """Run a producer, and with it the embedded broker where no other answers, for as long as this lasts.

    meanwhile: what can be done while it starts. The producer watches its standard input: when this process ends,
    however that comes about, so does it. Raises UserError with the producer's own words where it cannot go on.
    """
    mqtt = config.mqtt
    external = probe(mqtt.host, mqtt.port) is None
    if not external and not (mqtt.embedded and is_loopback(mqtt.host)):
        raise UserError(
            f"no MQTT broker answers at {mqtt.host}:{mqtt.port}: start one there or name another with "
            "--broker host:port"
        )
    process = subprocess.Popen(
        [*programs.command("producer"), "--quiet", "--while-stdin", "--when-told", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        meanwhile()
        _wait_for_broker(process, mqtt.host, mqtt.port)
        yield Demonstration(Broker(mqtt.host, mqtt.port, EXTERNAL if external else EMBEDDED), lambda: _tell(process))
    finally:
        _end(process)


def _wait_for_broker(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    limit = time.monotonic() + START_SECONDS
    while probe(host, port) is not None:
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise UserError(said.splitlines()[-1] if said else f"the producer ended (exit status {process.returncode})")
        if time.monotonic() > limit:
            raise UserError(f"the producer's broker does not answer at {host}:{port} after {START_SECONDS:g} s")
        time.sleep(0.05)


def _tell(process: subprocess.Popen[bytes]) -> None:
    """Let the producer begin."""
    with suppress(OSError):
        if process.stdin:
            process.stdin.write(b"begin\n")
            process.stdin.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its standard input, which ends it; make sure that it does."""
    with suppress(OSError):  # where it is gone already, closing still tries to write what it was told
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        wait_or_kill(process, END_SECONDS)
