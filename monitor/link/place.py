"""Where the service of one broker and root is found on this host: a socket that only its user can reach.

`<runtime folder>/ecg-monitor/<digest of broker and root>.sock`, mode 0600 in a folder of mode 0700, beside a lock that
the service holds for as long as it lives. Whoever gets the lock knows that a socket found there is of a service that
has died, and removes it. Where there are no Unix sockets, or the path is too long for one, a port of the loopback
serves, and a file holds it with a secret that has to be said first.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import stat
import sys
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from ecg.errors import UserError
from ecg.wire.broker import is_loopback

LONGEST_PATH: Final = 100
"""Bytes: a Unix socket's address holds 104 to 108."""
CONNECT_SECONDS: Final = 2.0
LOCK_SECONDS: Final = 0.5
BACKLOG: Final = 64
SECRET_BYTES: Final = 32


class Taken(Exception):  # noqa: N818 - a fact, not an error
    """Another service of this host holds the place. pid: its process, 0 where that is not known."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"process {pid}" if pid else "another process")
        self.pid = pid


def runtime_folder() -> Path:
    """The user's own folder for sockets, made where there is none. Raises UserError where others could reach it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that $XDG_RUNTIME_DIR is not set is no news to the user
        base = Path(platformdirs.user_runtime_path())
    folder = base / "ecg-monitor"
    try:
        for each in (base, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise UserError(f"the runtime folder {folder} cannot be used: {error.strerror}; set XDG_RUNTIME_DIR") from None
    if hasattr(os, "getuid"):
        strangers = base.stat().st_uid not in (os.getuid(), 0) or found.st_uid != os.getuid()
        if strangers or not stat.S_ISDIR(found.st_mode):
            raise UserError(f"the runtime folder {folder} is not a folder of yours: set XDG_RUNTIME_DIR to one that is")
        if found.st_mode & 0o077:
            folder.chmod(0o700)
    return folder


@dataclass(frozen=True, slots=True)
class Place:
    """One service's place. tcp: the loopback instead of a Unix socket."""

    folder: Path
    name: str
    tcp: bool

    @property
    def socket_path(self) -> Path:
        """The Unix socket."""
        return self.folder / f"{self.name}.sock"

    @property
    def lock_path(self) -> Path:
        """What the service holds locked; its number is inside."""
        return self.folder / f"{self.name}.lock"

    @property
    def secret_path(self) -> Path:
        """Port and secret, where the loopback serves."""
        return self.folder / f"{self.name}.port"


def place(host: str, port: int, root: str, *, tcp: bool | None = None) -> Place:
    """The place of the service for this broker and root. tcp: None leaves the choice to what the system has."""
    folder = runtime_folder()
    near = "127.0.0.1" if is_loopback(host) else host.lower()
    name = hashlib.sha256(f"{near}:{port}/{root}".encode()).hexdigest()[:16]
    if tcp is None:
        tcp = not hasattr(socket, "AF_UNIX") or len(os.fsencode(folder / f"{name}.sock")) > LONGEST_PATH
    return Place(folder, name, tcp)


def connect(at: Place) -> socket.socket | None:
    """A connection to the service there, for blocking use; None where there is none."""
    try:
        if not at.tcp:
            found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                found.settimeout(CONNECT_SECONDS)
                found.connect(str(at.socket_path))
            except OSError:
                found.close()
                return None
        else:
            port, secret = at.secret_path.read_text(encoding="ascii").split()
            found = socket.create_connection(("127.0.0.1", int(port)), CONNECT_SECONDS)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found.sendall(secret.encode("ascii"))
    except (OSError, ValueError):
        return None
    found.settimeout(None)
    return found


class Held:
    """The place, held: `listening` takes connections; `secret` is what each says first ("" where nothing is needed)."""

    def __init__(self, at: Place) -> None:
        self.place = at
        self.secret = ""
        self._lock = _lock(at.lock_path)
        try:
            self.listening = self._listen()
        except BaseException:
            self._unlock()
            raise

    def _listen(self) -> socket.socket:
        at = self.place
        with suppress(FileNotFoundError):  # whose it was has died: the lock was free
            at.socket_path.unlink()
        if at.tcp:
            made = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
            self.secret = secrets.token_hex(SECRET_BYTES // 2)
            at.secret_path.unlink(missing_ok=True)
            file = os.open(at.secret_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="ascii") as out:
                out.write(f"{made.getsockname()[1]} {self.secret}")
            return made
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(str(at.socket_path))  # nobody else enters the folder; the mode says so once more
        at.socket_path.chmod(0o600)
        made.listen(BACKLOG)
        return made

    def close(self) -> None:
        """Give the place up, and leave nothing there."""
        self.listening.close()
        for path in (self.place.socket_path, self.place.secret_path):
            path.unlink(missing_ok=True)
        self._unlock()

    def _unlock(self) -> None:
        self.place.lock_path.unlink(missing_ok=True)
        os.close(self._lock)


def hold(at: Place) -> Held:
    """Take the place; what a dead service left there is removed. Raises Taken where a living one holds it."""
    return Held(at)


def _lock(path: Path) -> int:
    """An open file with this process's number in it, locked. Raises Taken."""
    limit = time.monotonic() + LOCK_SECONDS
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        if _try_lock(file):
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), path.stat()):  # else it was removed as we came
                    os.ftruncate(file, 0)
                    os.write(file, str(os.getpid()).encode())
                    return file
            os.close(file)
            continue
        said = os.read(file, 20)
        os.close(file)
        if time.monotonic() > limit:
            raise Taken(int(said) if said.isdigit() else 0)
        time.sleep(0.05)


def _try_lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
