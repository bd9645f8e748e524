"""The screen in a browser: what a browser gets over its websocket is the monitor's screen, live."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time

import pytest
from brokers import free_port

from ecg.wire import broker

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")


def started(port: int, broker_port: int) -> subprocess.Popen[str]:
    """`python -m monitor --web --demo` on free ports, once it answers."""
    command = ["--web", "--web-port", str(port), "--demo", "--broker", f"127.0.0.1:{broker_port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    limit = time.monotonic() + 40
    while broker.probe("127.0.0.1", port) is not None and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.1)
    return process


async def seen(port: int, words: list[bytes]) -> bytes:
    """What comes over the websocket until all those words have come, or 40 s are over."""
    got = b""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{port}/ws?width=100&height=30") as page,
    ):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(40):
                async for message in page:
                    got += message.data if isinstance(message.data, bytes) else message.data.encode()
                    if all(word in got for word in words):
                        break
    return got


def test_a_browser_sees_the_live_screen_and_leaving_the_server_ends_the_demonstration() -> None:
    port, broker_port = free_port(), free_port()
    process = started(port, broker_port)
    try:
        words = [b"not for clinical use", b"HEART RATE", b"208-excerpt", "⣀".encode()]
        got = asyncio.run(seen(port, words))
        assert [word.decode() for word in words if word not in got] == []
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    limit = time.monotonic() + 20
    while broker.probe("127.0.0.1", broker_port) is None and time.monotonic() < limit:
        time.sleep(0.1)
    assert broker.probe("127.0.0.1", broker_port) is not None, "the demonstration's broker is still there"


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "monitor", "--web", "--web-port", str(port)]
        process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 2
    assert f"http://127.0.0.1:{port} cannot be served" in process.stderr
    assert "Traceback" not in process.stderr
