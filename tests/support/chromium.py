"""A real headless Chromium, driven by the DevTools protocol over its websocket.

What a page's terminal shows is drawn on a canvas; so tests look at what its websocket brought instead, which DevTools
tells frame by frame.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_SECONDS = 60.0
ANSWER_SECONDS = 30.0


class Tab:
    """One page. got: all that its websockets received, as it came. status: HTTP status by address."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self.got = b""
        self.status: dict[str, int] = {}
        self._browser, self._session = browser, session

    def call(self, method: str, **values: Any) -> dict[str, Any]:
        """A DevTools method on this page."""
        return self._browser.call(method, self._session, **values)

    def open(self, url: str) -> None:
        """Go to a page, in front."""
        self.call("Page.bringToFront")
        self.call("Page.navigate", url=url)

    def press(self, key: str) -> None:
        """A key as a person presses it, in the window in front, to whatever has the focus there."""
        self.call("Page.bringToFront")
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key, unmodifiedText=key)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def evaluate(self, script: str) -> Any:
        """The value of a script in the page."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return found["result"].get("value")

    def picture(self, path: Path) -> None:
        """A screenshot."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def wait(self, word: str, seconds: float) -> bool:
        """Has the page's terminal been sent this word, or is it within so many seconds?."""
        wanted = word.encode()
        return self._browser.wait(lambda: wanted in self.got, seconds)


class Chromium:
    """The browser; `end` it. folder: for its profile."""

    def __init__(self, folder: Path) -> None:
        profile = folder / "chromium"
        self._process = subprocess.Popen(
            [
                str(CHROMIUM),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-backgrounding-occluded-windows",
                "--disable-renderer-backgrounding",
                "--disable-background-timer-throttling",
                "--window-size=1280,800",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        told = profile / "DevToolsActivePort"
        limit = time.monotonic() + START_SECONDS
        while not (told.exists() and len(told.read_text().splitlines()) == 2):
            assert self._process.poll() is None and time.monotonic() < limit, "chromium does not start"
            time.sleep(0.05)
        port, path = told.read_text().splitlines()
        self._socket = connect(f"ws://127.0.0.1:{port}{path}", max_size=None)
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._tabs: dict[str, Tab] = {}

    def tab(self) -> Tab:
        """A new page in a window of its own."""
        target = self.call("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        made = self._tabs[session] = Tab(self, session)
        for domain in ("Network", "Page", "Runtime"):
            made.call(f"{domain}.enable")
        return made

    def call(self, method: str, session: str = "", **values: Any) -> dict[str, Any]:
        """A DevTools method; its result."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": values}
        if session:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        assert self.wait(lambda: number in self._answers, ANSWER_SECONDS), f"no answer to {method}"
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def wait(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Take what the browser tells until `ready`, or for so long."""
        limit = time.monotonic() + seconds
        while not ready():
            rest = limit - time.monotonic()
            if rest <= 0:
                return False
            try:
                self._take(json.loads(self._socket.recv(timeout=rest)))
            except TimeoutError:
                return False
        return True

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        tab = self._tabs.get(message.get("sessionId", ""))
        values = message.get("params", {})
        if tab is None:
            return
        if message["method"] == "Network.webSocketFrameReceived":
            frame = values["response"]
            data = frame["payloadData"]
            tab.got += base64.b64decode(data) if frame["opcode"] == 2 else data.encode()
        elif message["method"] == "Network.webSocketHandshakeResponseReceived":
            tab.status["websocket"] = values["response"]["status"]
        elif message["method"] == "Network.responseReceived":
            tab.status[values["response"]["url"]] = values["response"]["status"]

    def end(self) -> None:
        """Leave nothing of it running."""
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
