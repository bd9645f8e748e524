"""The screen's end of the link: attach to the service of this host, or start one that ends with its last screen."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, Queue
from typing import Final

import msgspec

from ecg import programs
from ecg.programs import wait_or_kill
from monitor.link.contract import LinkClosed
from monitor.link.frames import MOST_TOLD, FrameError, frame, read, told
from monitor.link.merging import merge
from monitor.link.place import Place, connect
from monitor.link.protocol import LINK, Farewell, Hello, Intent, Snapshot

READY_SECONDS: Final = 40.0
"""A service that takes another's place waits for its end."""
END_SECONDS: Final = 8.0
LEAVE_SECONDS: Final = 1.0
"""So long a screen that leaves waits until the service has heard all it asked for; hanging up at once loses it."""
MOST_PENDING: Final = 60
"""Snapshots merged for a screen that does not draw; then it stops reading, and the service waits with the next."""
READY, ENDING, STAYING = "ready", "ending", "staying"
"""What a service says to whoever started it, a word a line."""
NO_WAIT: Final = getattr(socket, "MSG_DONTWAIT", 0)


class ScreenLink:
    """A screen attached to a service; a thread reads its snapshots. started: the service, where it is ours."""

    def __init__(self, attached: socket.socket, started: ServiceChild | None = None) -> None:
        self._socket, self._started = attached, started
        self._changed = threading.Condition()
        self._pending: Snapshot | None = None
        self._merged = 0
        self._last: Snapshot | None = None
        self._closed: Farewell | None = None
        self._thread = threading.Thread(target=self._read, name="link", daemon=True)
        self._thread.start()

    def snapshot(self) -> Snapshot | None:
        """Everything new since the last call, None where there is nothing. Raises LinkClosed at the end."""
        with self._changed:
            found, self._pending, self._merged = self._pending, None, 0
            self._changed.notify()
            if found is not None:
                if not found.beds and self._last is not None:
                    found = msgspec.structs.replace(found, beds=self._last.beds)
                self._last = found
                return found
            closed = self._closed
        if closed:
            raise LinkClosed(closed.why, closed.status)
        return None

    def send(self, intent: Intent) -> None:
        """Ask the service for something. Never waits: a service that takes nothing more is given up."""
        made = frame(intent)
        try:
            sent = self._socket.send(made, NO_WAIT)
        except BlockingIOError:
            return
        except OSError:
            return  # the reader tells why
        if sent < len(made):
            self._end("the monitor's service does not take what it is asked")

    def close(self) -> None:
        """Leave. A service that this screen started ends, unless another screen is attached to it."""
        self._end("left")
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._thread.join(LEAVE_SECONDS)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self._started:
            self._started.leave()

    def _end(self, why: str, status: int = 1) -> None:
        with self._changed:
            self._closed = self._closed or Farewell(why, status)
            self._changed.notify()

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as stream:
                while (payload := read(stream, MOST_TOLD)) is not None and self._take(payload):
                    pass
        except FrameError as error:
            self._end(f"the monitor's service cannot be understood: {error}")
        except OSError:
            pass  # it went without a word: below is why
        except Exception as error:
            self._end(f"reading from the monitor's service failed ({type(error).__name__}: {error})")
            raise
        finally:
            status, said = self._started.said() if self._started and self._closed is None else (1, "")
            self._end(said or "the monitor's service ended", status)

    def _take(self, payload: bytes) -> bool:
        """One message; False after the last. Raises FrameError."""
        message = told(payload)
        if isinstance(message, Farewell):
            self._end(message.why, message.status)
            return False
        if isinstance(message, Hello):
            if message.link != LINK:
                self._end(
                    f"the monitor's service (process {message.pid}) is of version {message.version}, which this screen "
                    "does not understand: end it and start again"
                )
            return message.link == LINK
        with self._changed:
            self._pending = message if self._pending is None else merge(self._pending, message)
            self._merged += 1
            while self._merged >= MOST_PENDING and self._closed is None:
                self._changed.wait()
        return True


class ServiceChild:
    """A service of our own: `python -m monitor serve`, which ends once we have gone and no screen is attached.

    It watches its standard input, so that it notices however we go.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads would make the service wait
        self._process = subprocess.Popen(
            [*programs.command("monitor"), "serve", "--for-screens", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            text=True,
        )
        self._words: Queue[str] = Queue()
        threading.Thread(target=self._listen, name="service", daemon=True).start()
        self.ready = self._word(READY_SECONDS) == READY

    def said(self) -> tuple[int, str]:
        """(exit status, last words) of a service that has ended or is about to."""
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return 1, "the monitor's service does not answer any more"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return status or 1, " ".join(lines[-1:]) or f"the monitor's service ended (exit status {status})"

    @property
    def running(self) -> bool:
        """Has it not ended?."""
        return self._process.poll() is None

    def leave(self) -> None:
        """Let it go: it ends, and is waited for, unless it says that it stays for other screens."""
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        if self._word(END_SECONDS) == STAYING:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
            return
        self._process.terminate()
        wait_or_kill(self._process, END_SECONDS)

    def _word(self, seconds: float) -> str:
        """The next word it says, "" where it says nothing more."""
        try:
            word = self._words.get(timeout=seconds)
        except Empty:
            return ""
        if not word:  # that was the last: whoever asks again need not wait
            self._words.put("")
        return word

    def _listen(self) -> None:
        if self._process.stdout:
            for line in self._process.stdout:
                self._words.put(line.strip())
        self._words.put("")


def attach(at: Place) -> ScreenLink | None:
    """A screen's link to the service there; None where there is none."""
    found = connect(at)
    return None if found is None else ScreenLink(found)


def start(at: Place, arguments: Sequence[str]) -> ScreenLink:
    """A screen's link to a service that is started for it, or to one that was quicker. Raises LinkClosed."""
    child = ServiceChild(arguments)
    found = connect(at) if child.ready else None
    if found is not None:
        return ScreenLink(found, child)
    status, said = child.said()
    child.leave()
    found = connect(at)  # another screen may have started one at the same moment
    if found is None:
        raise LinkClosed(said, status)
    return ScreenLink(found)
