"""What befalls a scene: each fault as a function that makes it happen and waits until signal is taken again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import msgspec
import psutil

from ecg.errors import UserError
from monitor.bench.clocks import FakeClock
from monitor.bench.relay import RelayThread
from monitor.bench.scene import Scene
from monitor.bench.tunnel import HERE, SPACE, THERE, Tunnel, namespace, run, set_up, tunnel

AWAY_SECONDS: Final = 1.0
OUTAGE_SECONDS: Final = 5.0
HALF_OPEN_TIMES: Final = 2.5
"""A half-open link stands for so many times as long as a broker stands still: longer than both sides' keep-alive."""
HOUR: Final = 3600.0
CLOCKS: Final = (HOUR, -2 * HOUR, 400 * 24 * HOUR, 0.0)
OURS, THEIRS = "198.18.77.1", "198.18.77.2"


class Size(msgspec.Struct, frozen=True):
    """How much is done. times: a broker is killed. stall_s: it stands still. before_s, after_s: of peace."""

    beds: int
    times: int
    stall_s: float
    before_s: float
    after_s: float


def killed(scene: Scene, size: Size) -> None:
    """The broker is killed and comes back, again and again."""
    for _ in range(size.times):
        scene.kill("broker")
        time.sleep(AWAY_SECONDS)
        scene.broker()
        scene.recover()
        time.sleep(size.after_s / 4)


def stalled(scene: Scene, size: Size) -> None:
    """The broker stands still and goes on."""
    scene.send("broker", signal.SIGSTOP)
    time.sleep(size.stall_s)
    scene.send("broker", signal.SIGCONT)
    scene.recover()


def producer_killed(scene: Scene, size: Size) -> None:  # noqa: ARG001
    """The producer is killed and started again."""
    scene.kill("producer")
    time.sleep(AWAY_SECONDS)
    known = scene.received()
    scene.producer()
    scene.recover(lambda: known)


def monitor_killed(scene: Scene, size: Size) -> None:  # noqa: ARG001
    """The monitor is killed and takes up its saved memory."""
    scene.kill("monitor")
    time.sleep(AWAY_SECONDS)
    begin_s = time.monotonic()
    scene.monitor()
    scene.recover()
    scene.recovered_s[-1] = time.monotonic() - begin_s


def link_cut(scene: Scene, size: Size) -> None:  # noqa: ARG001
    """The link to the broker is down for some seconds."""
    run("ip", "link", "set", HERE, "down")
    time.sleep(OUTAGE_SECONDS)
    run("ip", "link", "set", HERE, "up")
    scene.recover()


def link_bad(scene: Scene, size: Size) -> None:
    """The link delays, reorders and loses packets."""
    link: Tunnel = scene.about["link"]
    link.delay_s, link.jitter_s, link.loss, link.held, link.held_s = 0.05, 0.02, 0.02, 0.1, 0.05
    time.sleep(size.stall_s)
    link.delay_s = link.jitter_s = link.loss = link.held = 0.0
    scene.recover()
    scene.about["told"] = "{carried} packets carried, {lost} lost, {overtaken} overtaken".format(**link.counts)


def link_slow(scene: Scene, size: Size) -> None:
    """The connections are slow: late by 0.1 to 0.3 s, and 48 KiB/s."""
    relay = scene.about["relay"].relay
    relay.delay_s, relay.jitter_s, relay.rate = 0.1, 0.2, 48 * 1024
    time.sleep(size.stall_s)
    relay.delay_s = relay.jitter_s = relay.rate = 0.0
    scene.recover()


def half_open(scene: Scene, size: Size) -> None:
    """The connections stand and nothing passes: nobody is told."""
    relay = scene.about["relay"].relay
    relay.still = True
    time.sleep(HALF_OPEN_TIMES * size.stall_s)
    relay.still = False
    scene.recover()


def reset(scene: Scene, size: Size) -> None:
    """All connections break within a packet, again and again."""
    thread: RelayThread = scene.about["relay"]
    for _ in range(size.times):
        broken = thread.cut()
        if broken < 2:
            raise UserError(f"{broken} connections were there to be broken")
        scene.recover()
        time.sleep(max(size.after_s / 4, AWAY_SECONDS))


def clock_set(scene: Scene, size: Size) -> None:
    """The system's clock is set: an hour on, two back, 400 days on, and right again."""
    clock: FakeClock = scene.about["clock"]
    old = scene.records / "old.dat"
    old.write_bytes(bytes(400))
    for seconds in CLOCKS:
        clock.set(seconds)
        time.sleep(max(size.stall_s / len(CLOCKS), AWAY_SECONDS))
    scene.recover()
    shown = scene.scrape()
    scene.about["told"] = f"latency p99 {shown.get('total 0.99', float('nan')):.0f} ms, most {shown['total 1']:.0f} ms"
    scene.about["told"] += "" if old.exists() else "; an old recording is gone"


def disk_full(scene: Scene, size: Size) -> None:
    """The disk of recorder, log and saved memory is full; the monitor goes on."""
    assert scene.folder is not None
    with suppress(OSError), (scene.folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    time.sleep(size.after_s)
    scene.recover()


def children(scene: Scene) -> list[psutil.Process]:
    """The monitor's processes, itself among them."""
    monitor = psutil.Process(scene.made.running["monitor"].pid)
    return [monitor, *monitor.children(recursive=True)]


@contextmanager
def cut_link() -> Iterator[tuple[str, tuple[str, ...]]]:
    """A link that can be cut, to a network namespace: the address there, and what starts a program there.

    Raises NotHereError where that may not be made.
    """
    with namespace() as before:
        try:
            set_up(
                f"ip link add {HERE} type veth peer name {THERE} netns {SPACE}",
                f"ip addr add {OURS}/30 dev {HERE}",
                f"ip link set {HERE} up",
                f"ip -n {SPACE} addr add {THEIRS}/30 dev {THERE}",
                f"ip -n {SPACE} link set {THERE} up",
            )
            yield THEIRS, before
        finally:
            run("ip", "link", "del", HERE)


Fault = Callable[[Scene, Size], None]
FAULTS: Final[dict[str, tuple[str, Fault]]] = {
    "broker killed": ("mosquitto", killed),
    "broker stalled": ("mosquitto", stalled),
    "amqtt killed": ("amqtt", killed),
    "amqtt stalled": ("amqtt", stalled),
    "producer killed": ("mosquitto", producer_killed),
    "monitor killed": ("mosquitto", monitor_killed),
    "link cut": ("mosquitto", link_cut),
    "link bad": ("mosquitto", link_bad),
    "link slow": ("mosquitto", link_slow),
    "link half open": ("mosquitto", half_open),
    "link reset": ("mosquitto", reset),
    "clock set": ("mosquitto", clock_set),
    "disk full": ("mosquitto", disk_full),
}
RELAYED: Final = ("link slow", "link half open", "link reset")


@contextmanager
def around(name: str, made: Any, config: Any, size: Size) -> Iterator[Scene]:
    """The scene of a fault, with what it needs. Raises NotHereError where this machine does not allow that."""
    kind, _ = FAULTS[name]
    if name == "link cut":
        with cut_link() as (host, before):
            yield Scene(made, config, kind, size.beds, host, before)
    elif name == "link bad":
        with tunnel() as (host, before, link):
            yield Scene(made, config, kind, size.beds, host, before, about={"link": link})
    elif name in RELAYED:
        scene = Scene(made, config, kind, size.beds)
        with RelayThread(scene.port).running() as thread:
            scene.reached, scene.about["relay"] = thread.relay.port, thread
            yield scene
    elif name == "clock set":
        clock = FakeClock(made.folder)
        yield Scene(made, config, kind, size.beds, environment=clock.environment, about={"clock": clock})
    else:
        yield Scene(made, config, kind, size.beds)
