"""Where a service is found on its host: by its user alone, and only while it lives."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ecg.errors import UserError
from monitor.link import place

HOLD = """
import sys
from monitor.link import place
held = place.hold(place.place("127.0.0.1", 1883, "ecg/v1"))
print("held", flush=True)
sys.stdin.read()
"""


pytestmark = pytest.mark.usefixtures("runtime")


def here(tcp: bool | None = None) -> place.Place:
    return place.place("127.0.0.1", 1883, "ecg/v1", tcp=tcp)


def test_the_socket_and_its_folder_are_for_its_user_alone(runtime: Path) -> None:
    folder = runtime / "ecg-monitor"
    folder.mkdir()
    folder.chmod(0o777)
    held = place.hold(here())
    try:
        found = held.place.socket_path.stat()
        assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        held.close()
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_link_elsewhere_is_refused(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (runtime / "ecg-monitor").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is not a folder of yours"):
        here()


def test_each_broker_and_root_has_a_place_of_its_own() -> None:
    same = {place.place(host, 1883, "ecg/v1").name for host in ("127.0.0.1", "localhost", "::1")}
    others = {
        place.place(host, port, root).name
        for host, port, root in (
            ("127.0.0.1", 1883, "ecg/v1"),
            ("127.0.0.1", 1884, "ecg/v1"),
            ("127.0.0.1", 1883, "ecg/v2"),
            ("broker.example", 1883, "ecg/v1"),
        )
    }
    assert (len(same), len(others)) == (1, 4)
    assert place.place("Broker.Example", 1, "a").name == place.place("broker.example", 1, "a").name


@pytest.mark.parametrize("tcp", [False, True])
def test_the_socket_of_a_service_that_was_killed_is_noticed_and_replaced(tcp: bool) -> None:
    code = HOLD.replace('"ecg/v1")', f'"ecg/v1", tcp={tcp})')
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"held\n"
    at = here(tcp)
    with pytest.raises(place.Taken) as taken:
        place.hold(at)
    assert taken.value.pid == other.pid
    found = place.connect(at)
    assert found is not None
    found.close()
    other.kill()
    other.communicate()
    left = at.secret_path if tcp else at.socket_path
    assert left.exists()
    assert place.connect(at) is None
    held = place.hold(at)
    found = place.connect(at)
    assert found is not None
    found.close()
    held.close()
    assert place.connect(at) is None
    assert not left.exists()


def test_without_unix_sockets_a_secret_file_of_the_user_names_a_port_of_the_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    at = here()
    assert at.tcp
    held = place.hold(at)
    try:
        assert held.listening.getsockname()[0] == "127.0.0.1"
        assert stat.S_IMODE(at.secret_path.stat().st_mode) == 0o600
        assert held.secret in at.secret_path.read_text() and len(held.secret) == 32
        found = place.connect(at)
        assert found is not None
        served, _ = held.listening.accept()
        assert served.recv(64).decode() == held.secret
        found.close()
        served.close()
    finally:
        held.close()


def test_a_path_too_long_for_a_unix_socket_takes_the_loopback(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = runtime / ("d" * 60) / ("e" * 60)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    at = here()
    assert at.tcp and len(os.fsencode(at.socket_path)) > place.LONGEST_PATH
    place.hold(at).close()
