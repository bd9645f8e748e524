"""The screen in a browser: light windows on one service, for pages of this server alone."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ecg.wire import broker
from monitor.web import entry
from tests.support.brokers import free_port
from tests.support.chromium import CHROMIUM, Chromium

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")

HEAVY = re.compile(r"libtorch|/scipy/|/wfdb/|/pandas/|/sklearn/|/matplotlib/")
SHOWN = [b"not for clinical use", b"HEART RATE", b"208-excerpt", "⣀".encode()]


def said(process: psutil.Process) -> list[str]:
    """Its command line, [] where it has just ended."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


class Web:
    """`python -m monitor --web --demo` on free ports, once it answers."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port, self.broker_port = free_port(), free_port()
        command = ["--web", "--web-port", str(self.port), "--demo", "--broker", f"127.0.0.1:{self.broker_port}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor", *command, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        limit = time.monotonic() + 60
        while broker.probe("127.0.0.1", self.port) is not None:
            assert self.process.poll() is None and time.monotonic() < limit
            time.sleep(0.1)

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def windows(self) -> list[psutil.Process]:
        """The processes that draw."""
        return [one for one in psutil.Process(self.process.pid).children() if "--attach" in said(one)]

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)


@pytest.fixture
def web(tmp_path: Path, runtime: Path) -> Iterator[Web]:
    settings = tmp_path / "config.toml"
    settings.write_text("[screen]\nweb_tabs = 3\n[producer]\nspeed = 4.0\n", encoding="utf-8")
    made = Web(tmp_path, "--config", str(settings))
    yield made
    if made.process.poll() is None:
        made.end()


async def seen(web: Web, words: list[bytes], **headers: str) -> bytes:
    """What comes over the websocket until all those words have come, or 60 s are over."""
    got = b""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{web.port}/ws?width=100&height=30", headers=headers) as page,
    ):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                async for message in page:
                    got += message.data if isinstance(message.data, bytes) else message.data.encode()
                    if all(word in got for word in words):
                        break
    return got


def test_a_browser_sees_the_live_screen_and_leaving_the_server_ends_the_demonstration(web: Web) -> None:
    got = asyncio.run(seen(web, SHOWN))
    assert [word.decode() for word in SHOWN if word not in got] == []
    everything = psutil.Process(web.process.pid).children(recursive=True)
    web.end()
    _, alive = psutil.wait_procs(everything, timeout=30)
    assert alive == []
    assert broker.probe("127.0.0.1", web.broker_port) is not None, "the demonstration's broker is still there"


def test_a_window_is_opened_with_the_token_that_is_asked_for(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    monkeypatch.setenv("ECG_SCREEN__WEB_TOKEN_FILE", str(tmp_path / "token"))
    web = Web(tmp_path)

    async def look() -> None:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for place in ("", "?token=0123456789abcdee", "ws", "static/css/xterm.css"):
                async with session.get(web.page + place) as answer:
                    assert answer.status == 401
            async with session.get(web.page + "?token=0123456789abcdef") as answer:
                assert (answer.status, str(answer.url)) == (200, web.page)  # the address holds it no more
            async with session.ws_connect(f"ws://127.0.0.1:{web.port}/ws") as page:
                assert not page.closed

    try:
        asyncio.run(look())
    finally:
        web.end()


def test_a_token_is_made_up_where_one_is_needed_and_none_is_given(tmp_path: Path) -> None:
    assert entry("127.0.0.1", "") == ("", False)
    token, made_up = entry("0.0.0.0", "")
    assert made_up and len(token) >= 32 and token != entry("0.0.0.0", "")[0]


def test_a_server_whose_service_has_died_ends_and_says_so(web: Web) -> None:
    asyncio.run(seen(web, SHOWN))
    (service,) = (one for one in psutil.Process(web.process.pid).children() if "serve" in said(one))
    service.kill()
    _, problem = web.process.communicate(timeout=60)
    assert web.process.returncode not in (0, None)
    assert "the monitor's service ended (exit status -9)" in problem and "Traceback" not in problem


def test_a_window_is_a_light_process_and_there_are_so_many_at_most(web: Web) -> None:
    async def look() -> None:
        async with aiohttp.ClientSession() as session, contextlib.AsyncExitStack() as windows:
            for _ in range(3):
                await windows.enter_async_context(session.ws_connect(f"ws://127.0.0.1:{web.port}/ws"))
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"ws://127.0.0.1:{web.port}/ws")
            assert refused.value.status == 503
            got = await seen_in_a_fourth_after_one_has_gone(session, windows)
            assert b"HEART RATE" in got

    async def seen_in_a_fourth_after_one_has_gone(session: Any, windows: contextlib.AsyncExitStack) -> bytes:
        limit = time.monotonic() + 60
        while len(web.windows) < 3 or any(not loaded(one) for one in web.windows):
            assert time.monotonic() < limit
            await asyncio.sleep(0.1)
        for one in web.windows:
            assert [found for found in maps(one) if HEAVY.search(found)] == []
        services = [one for one in psutil.Process(web.process.pid).children() if "serve" in said(one)]
        assert len(services) == 1, "one service for all windows"
        await windows.aclose()
        while web.windows:
            assert time.monotonic() < limit
            await asyncio.sleep(0.1)
        return await seen(web, SHOWN)

    asyncio.run(look())


def loaded(window: psutil.Process) -> bool:
    """Does this window draw? numpy is the last thing it loads."""
    return any("numpy" in found for found in maps(window))


def maps(process: psutil.Process) -> list[str]:
    """The libraries a process has loaded."""
    return [found.path for found in process.memory_maps()]


def test_pages_and_names_of_others_are_refused(web: Web) -> None:
    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
                for path in ("", "ws", "static/js/textual.js"):
                    async with session.get(web.page + path, headers=headers) as answer:
                        assert answer.status == 403, (headers, path)
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(f"ws://127.0.0.1:{web.port}/ws", headers=headers)
                assert refused.value.status == 403
            async with session.get(web.page, headers={"Origin": web.page.rstrip("/")}) as answer:
                assert answer.status == 200
                assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            async with session.get(web.page + "ws") as answer:
                assert answer.status == 400

    asyncio.run(ask())
    assert web.windows == []


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
def test_two_windows_of_a_real_browser_share_one_ward(web: Web, tmp_path: Path) -> None:
    browser = Chromium(tmp_path)
    try:
        tabs = []
        for _ in range(2):
            tab = browser.tab()
            tab.open(web.page)
            assert tab.wait("HEART RATE", 60) and tab.wait("208-excerpt", 60)
            tabs.append(tab)
        one, other = tabs
        services = [process for process in psutil.Process(web.process.pid).children() if "serve" in process.cmdline()]
        assert (len(services), len(web.windows)) == (1, 2)
        one.press("?")  # nobody has clicked anywhere
        assert one.wait("any key closes this", 20)
        one.press("x")
        assert one.wait("!", 60) and other.wait("!", 60), "an alarm"
        for _ in range(40):  # an alarm may end before the key comes, and the next one is there later
            one.press("a")
            if one.wait("acknowledged", 3):
                break
        assert other.wait("acknowledged", 20)
        outside = [address for address in (*one.status, *other.status) if "//" in address and web.page not in address]
        assert outside == [], "nothing is fetched from elsewhere"
    finally:
        browser.end()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
def test_a_page_of_another_origin_gets_nothing_in_a_real_browser(web: Web, tmp_path: Path) -> None:
    (tmp_path / "evil.html").write_text("<p>evil</p>", encoding="utf-8")
    browser = Chromium(tmp_path)
    try:
        evil = browser.tab()
        evil.open((tmp_path / "evil.html").as_uri())
        script = (
            f"new Promise(done => {{ const s = new WebSocket('ws://127.0.0.1:{web.port}/ws'); "
            "s.onopen = () => done('open'); s.onerror = () => done('refused'); })"
        )
        assert evil.evaluate(script) == "refused"
        assert web.windows == []
        framed = f"fetch('{web.page}', {{mode: 'no-cors'}}).then(a => a.type, e => 'failed')"
        assert evil.evaluate(framed) in ("opaque", "failed")
    finally:
        browser.end()


def test_a_port_that_is_taken_is_one_sentence(runtime: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "monitor", "--web", "--web-port", str(port)]
        process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 2
    assert f"http://127.0.0.1:{port} cannot be served" in process.stderr
    assert "Traceback" not in process.stderr


def test_a_browser_s_screen_and_a_headless_run_are_two_things() -> None:
    command = [sys.executable, "-m", "monitor", "--web", "--headless"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 2
    assert "--headless draws nothing" in process.stderr and len(process.stderr.strip().splitlines()) == 1
