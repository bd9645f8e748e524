"""A lab's certificates and access rules, against a real Mosquitto and real clients that try what they may not."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ecg.errors import UserError
from ecg.settings import MqttSettings
from ecg.wire.broker import Broker
from ecg.wire.outbox import Outgoing
from ecg.wire.session import Session
from monitor import cli
from tests.support.brokers import MOSQUITTO, Mosquitto, until

pytest.importorskip("cryptography")

Heard = list[tuple[str, bytes]]
BEDS = ("bed-1", "bed-2")
DONE = "ecg/v1/bed-2/status"


class Lab:
    """A folder of certificates, and Mosquitto as its configuration says."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder = folder
        cli.main(["certs", str(folder), "--beds", ",".join(BEDS)])
        text = (folder / "mosquitto.conf").read_text(encoding="utf-8")
        wanted = "".join(line for line in text.splitlines(True) if not line.startswith("listener"))
        as_root = "user root\n" if os.geteuid() == 0 else ""  # the keys are for their owner alone
        self.running = Mosquitto(work, as_root + wanted)

    def settings(self, name: str, **other: object) -> MqttSettings:
        given = MqttSettings(
            tls=True,
            ca_file=str(self.folder / "ca.pem"),
            cert_file=str(self.folder / f"{name}.pem"),
            key_file=str(self.folder / f"{name}.key"),
        )
        return msgspec.structs.replace(given, **other)

    def session(
        self, name: str, filters: tuple[str, ...] = (), heard: list[tuple[str, bytes]] | None = None
    ) -> Session:
        will = Outgoing(f"ecg/v1/{name}/status", b"gone", False)
        broker = Broker("127.0.0.1", self.running.port, "external")

        def arrived(topic: str, payload: bytes, _retained: bool) -> None:
            if heard is not None:
                heard.append((topic, payload))

        return Session(self.settings(name), broker, name, lambda: will, filters=filters, arrived=arrived)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    made = Lab(tmp_path / "lab", tmp_path)
    yield made
    made.running.stop()


async def test_everybody_publishes_and_hears_what_is_his_and_nothing_else(lab: Lab) -> None:
    heard: list[tuple[str, bytes]] = []
    watched: list[tuple[str, bytes]] = []
    reader, monitor = lab.session("reader", ("ecg/v1/#",), heard), lab.session("monitor", ("ecg/v1/+/wave",), watched)
    beds = [lab.session(bed) for bed in BEDS]
    sessions = [reader, monitor, *beds]
    await asyncio.gather(*(session.open() for session in sessions))
    own = ["ecg/v1/bed-1/wave", "ecg/v1/bed-1/truth", "ecg/v1/bed-1/status"]
    others = ["ecg/v1/bed-2/wave", "ecg/v1/bed-1/beat", "ecg/v1/bed-1/alarm", "ecg/v1/_monitor/x/status", "else"]
    beds[0].publish([Outgoing(topic, b"bed", False) for topic in (*others, *own)])
    its = ["ecg/v1/bed-1/beat", "ecg/v1/bed-2/alarm", "ecg/v1/_monitor/x/status", "ecg/v1/_monitor/x/beats"]
    not_its = ["ecg/v1/bed-1/wave", "ecg/v1/bed-1/status", "ecg/v1/_producer/x/status"]
    monitor.publish([Outgoing(topic, b"monitor", False) for topic in (*not_its, *its)])
    reader.publish([Outgoing(topic, b"reader", False) for topic in (*own, *its)])
    await asyncio.gather(*(session.flush(20) for session in sessions))
    beds[1].publish([Outgoing(DONE, b"done", False)])
    await until(lambda: (DONE, b"done") in heard)
    assert sorted(heard) == sorted(
        [*((topic, b"bed") for topic in own), *((topic, b"monitor") for topic in its), (DONE, b"done")]
    )
    assert watched == [("ecg/v1/bed-1/wave", b"bed")]
    await asyncio.gather(*(session.close() for session in sessions))


async def test_a_bed_hears_nobody(lab: Lab) -> None:
    heard: list[tuple[str, bytes]] = []
    bed, monitor = lab.session("bed-1", ("ecg/v1/#",), heard), lab.session("monitor", ("ecg/v1/_monitor/+/status",), [])
    await asyncio.gather(bed.open(), monitor.open())
    monitor.publish([Outgoing("ecg/v1/bed-1/alarm", b"x", False)])
    await monitor.flush(20)
    await asyncio.gather(bed.close(), monitor.close())
    assert heard == []


async def test_nobody_without_a_certificate_of_the_lab_comes_in(lab: Lab, tmp_path: Path) -> None:
    cli.main(["certs", str(tmp_path / "other")])
    broker = Broker("127.0.0.1", lab.running.port, "external")
    theirs = {"cert_file": str(tmp_path / "other/monitor.pem"), "key_file": str(tmp_path / "other/monitor.key")}
    strangers = [lab.settings("monitor", **files) for files in (theirs, {"cert_file": "", "key_file": ""})]
    opening = (Session(one, broker, "x", lambda: Outgoing("w", b"", False)).open() for one in strangers)
    refused = await asyncio.gather(*opening, return_exceptions=True)
    assert [str(one).partition("127")[0] for one in refused] == ["no connection to the broker "] * 2


async def test_a_broker_of_another_lab_is_not_believed(lab: Lab, tmp_path: Path) -> None:
    cli.main(["certs", str(tmp_path / "other")])
    settings = lab.settings("monitor", ca_file=str(tmp_path / "other/ca.pem"))
    session = Session(
        settings, Broker("127.0.0.1", lab.running.port, "external"), "x", lambda: Outgoing("w", b"", False)
    )
    with pytest.raises(UserError, match="certificate verify failed"):
        await session.open()


def test_keys_are_for_their_owner_alone_and_are_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    cli.main(["certs", str(folder), "--beds", "a,b", "--root", "x/y"])
    keys = sorted(folder.glob("*.key"))
    assert [key.stem for key in keys] == ["a", "b", "ca", "monitor", "reader", "server"]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    rules = (folder / "acl").read_text()
    assert "user a\ntopic write x/y/a/wave\n" in rules
    of_monitor = rules[rules.index("user monitor") : rules.index("user reader")].splitlines()
    assert {"topic readwrite x/y/+/limits", "topic write x/y/+/state"} <= set(of_monitor)
    assert rules.count("limits") == 1  # nobody else sets a bed's limits
    with pytest.raises(UserError, match="is not empty: name a new folder"):
        cli.main(["certs", str(folder)])
    shutil.rmtree(folder)
    for beds in ("a/b", "monitor", "", "a,ca"):
        with pytest.raises(UserError, match=r"--beds .* cannot be used"):
            cli.main(["certs", str(folder), "--beds", beds])
    assert not folder.exists()
