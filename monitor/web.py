"""The screen in a browser, through textual-serve: loopback only, unless the command line says otherwise.

Each window is a light process that attaches to one service. A page of another site can reach a port of the loopback
through its visitor's browser, so every request has to name the host it was served at, and a websocket a page of ours.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psutil

from ecg import tokens
from ecg.errors import UserError, needs
from ecg.wire.broker import address, bare, is_loopback
from ecg.wire.origin import refusal, unusable
from ecg.wire.topics import readable

if TYPE_CHECKING:
    from aiohttp import web

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

END_SECONDS: Final = 5.0
WATCH_SECONDS: Final = 0.5
TOKEN: Final = "token"
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; frame-ancestors 'none'"
)
"""Nothing is fetched from elsewhere (textual-serve asks Google for a font), and no page may frame this one."""
FOCUS: Final = """<script>
(() => {
  const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
  const waiting = setInterval(() => {
    focus();
    if (document.querySelector("body.-first-byte .xterm")) clearInterval(waiting);
  }, 50);
  addEventListener("focus", focus);
})();
</script>
"""
"""The terminal has the keyboard from the start: without it the first key would need a click before it."""


def check(host: str, port: int) -> None:
    """Raises UserError where that address cannot be served."""
    if why := unusable(host, port):
        raise _cannot(host, port, why)


def entry(host: str, file: str) -> tuple[str, bool]:
    """(token, is it made up?) for screens at that address: "" on the loopback, unless a file names one.

    Raises UserError where the file cannot be used.
    """
    if file:
        return tokens.read(file, "[screen] web_token_file"), False
    return ("", False) if is_loopback(host) else (secrets.token_urlsafe(24), True)


def serve(
    command: list[str],
    host: str,
    port: int,
    tabs: int,
    there: Callable[[], bool],
    token: tuple[str, bool],
) -> None:
    """Serve screens to browsers until interrupted, or until what they attach to is not `there` any more.

    command: runs one screen. tabs: screens at a time at most. token: as of `entry`; one that was made up is printed.

    Raises UserError where textual-serve is not installed or the address cannot be used.
    """
    with needs("web", "the screen in a browser"):
        from aiohttp import web
        from textual_serve.server import Server

    class Guarded(Server):
        """The library's server, for pages of its own alone, and so many windows."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.windows: set[asyncio.Task[Any]] = set()

        def initialize_logging(self) -> None:
            """Say nothing but what went wrong."""

        async def on_startup(self, app: web.Application) -> None:  # noqa: ARG002
            """No banner; look after the service."""
            self._watching = asyncio.create_task(self._watch())

        async def _watch(self) -> None:
            while there():  # noqa: ASYNC110
                await asyncio.sleep(WATCH_SECONDS)
            signal.raise_signal(signal.SIGTERM)  # which ends the server as Ctrl-C does

        async def on_shutdown(self, app: web.Application) -> None:  # noqa: ARG002
            """Let the windows end, and their processes be waited for, before the loop does."""
            for window in self.windows:
                window.cancel()
            limit = time.monotonic() + END_SECONDS
            while (self.windows or _drawing()) and time.monotonic() < limit:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

        async def _make_app(self) -> web.Application:
            app: web.Application = await super()._make_app()
            app.middlewares.append(web.middleware(guard))
            return app

        async def handle_index(self, request: web.Request) -> web.StreamResponse:
            """The page, whose links name the host that the browser asked for."""
            self.public_url = f"{request.scheme}://{request.host}"
            page: web.StreamResponse = await super().handle_index(request)
            if isinstance(page, web.Response) and page.text:
                page.text = page.text.replace("</body>", FOCUS + "</body>")
            return page

        async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
            """One window."""
            if request.headers.get("Upgrade", "").lower() != "websocket":
                raise web.HTTPBadRequest(text="a window is a websocket")
            task = asyncio.current_task()
            assert task is not None
            if len(self.windows) >= tabs:
                raise web.HTTPServiceUnavailable(text=f"{tabs} windows are open already ([screen] web_tabs)")
            self.windows.add(task)
            try:
                made: web.WebSocketResponse = await super().handle_websocket(request)
                return made
            finally:
                self.windows.discard(task)

    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        why = refusal(request.headers.get("Host"), request.headers.get("Origin"), host, port)
        if why:
            raise web.HTTPForbidden(text=why)
        given = request.query.get(TOKEN)
        if given is not None and tokens.same(token[0], given):  # from now on a cookie says so, not the address
            welcome = web.HTTPFound(request.path)
            welcome.set_cookie(f"{TOKEN}-{port}", given, httponly=True, samesite="Strict", secure=request.secure)
            raise welcome
        if not tokens.same(token[0], request.cookies.get(f"{TOKEN}-{port}")):
            raise web.HTTPUnauthorized(text=f"open this page as it was printed, with ?{TOKEN}= and the token")
        answer = await handler(request)
        if not answer.prepared:
            answer.headers["Content-Security-Policy"] = POLICY
            answer.headers["X-Content-Type-Options"] = "nosniff"
            answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    shown = f"http://{address(host, port)}{f'/?{TOKEN}={token[0]}' if token[1] else ''}"
    print(f"the monitor is at {shown} - research and education only", file=sys.stderr)
    try:
        Guarded(f"exec {shlex.join(command)}", host=bare(host), port=port, title="ECG monitor").serve()
    except OSError as error:
        raise _cannot(host, port, error.strerror or str(error)) from None


def _drawing() -> bool:
    """Is there a process of a window?."""
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "--attach" in child.cmdline():
                return True
    return False


def _cannot(host: str, port: int, why: str) -> UserError:
    shown = readable(host)
    return UserError(
        f"http://{address(shown, port)} cannot be served: {why}; choose another with --web-host or --web-port"
    )
