"""A link of IP packets between this machine and a network namespace, that loses, delays and reorders them.

Two TUN devices, and a thread that carries packets from one to the other: what `tc netem` does, on kernels without it.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

TUN: Final = "/dev/net/tun"
SET_NAME: Final = 0x400454CA
"""TUNSETIFF of <linux/if_tun.h>."""
PLAIN: Final = 0x0001 | 0x1000
"""IFF_TUN | IFF_NO_PI: IP packets and nothing before them."""
LARGEST: Final = 65536
LOOK_SECONDS: Final = 0.05
OURS, THEIRS = "198.18.77.1", "198.18.77.2"
"""Addresses of the range for benchmarks (RFC 2544)."""
HERE, THERE, SPACE = "ecgbench0", "ecgbench1", "ecgbench"


class NotHereError(Exception):
    """Something that this machine does not allow; the text says why."""


class Tunnel:
    """Carries packets between two TUN devices. loss: share of packets that never arrive. delay_s, jitter_s: of each
    packet; those that jitter apart arrive in another order. held: share of packets that come held_s later still.
    counts: packets carried, lost, and overtaken.
    """

    def __init__(self, ends: tuple[int, int]) -> None:
        self._ends = ends
        self.loss = self.delay_s = self.jitter_s = self.held = self.held_s = 0.0
        self.counts = {"carried": 0, "lost": 0, "overtaken": 0}
        self._chance = random.Random(1)
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="tunnel", daemon=True)

    @contextmanager
    def running(self) -> Iterator[Tunnel]:
        """Carry packets until this ends."""
        self._thread.start()
        try:
            yield self
        finally:
            self._ended = True
            self._thread.join(5)

    def _run(self) -> None:
        due: list[tuple[float, int, int, bytes]] = []
        number, newest = 0, dict.fromkeys(self._ends, -1)
        while not self._ended:
            now_s = time.monotonic()
            while due and due[0][0] <= now_s:
                _, order, end, packet = heapq.heappop(due)
                os.write(end, packet)
                self.counts["carried"] += 1
                self.counts["overtaken"] += order < newest[end]
                newest[end] = max(newest[end], order)
            wait_s = min(due[0][0] - now_s, LOOK_SECONDS) if due else LOOK_SECONDS
            for end in select.select(self._ends, (), (), wait_s)[0]:
                packet = os.read(end, LARGEST)
                if self._chance.random() < self.loss:
                    self.counts["lost"] += 1
                    continue
                after_s = self.delay_s + self._chance.uniform(-self.jitter_s, self.jitter_s)
                after_s += self.held_s if self._chance.random() < self.held else 0.0
                number += 1
                heapq.heappush(due, (time.monotonic() + max(after_s, 0.0), number, self._other(end), packet))

    def _other(self, end: int) -> int:
        return self._ends[1] if end == self._ends[0] else self._ends[0]


def run(*words: str) -> str:
    """A command of the system; "" where it worked, else what it said."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"there is no {words[0]} command"
    return "" if done.returncode == 0 else ((done.stderr or done.stdout).strip().splitlines() or ["it failed"])[-1]


def set_up(*steps: str) -> None:
    """Commands one after the other. Raises NotHereError at the first that fails."""
    for step in steps:
        if why := run(*step.split()):
            raise NotHereError(f"{step}: {why}")


@contextmanager
def namespace() -> Iterator[tuple[str, ...]]:
    """A network namespace, and what starts a program in it. Raises NotHereError."""
    set_up(f"ip netns add {SPACE}")
    try:
        yield ("ip", "netns", "exec", SPACE)
    finally:
        run("ip", "netns", "del", SPACE)


@contextmanager
def tunnel() -> Iterator[tuple[str, tuple[str, ...], Tunnel]]:
    """The address at the other end, what starts a program there, and the link. Raises NotHereError."""
    with ExitStack() as stack:
        before = stack.enter_context(namespace())
        ends = tuple(_device(stack, name) for name in (HERE, THERE))
        set_up(
            f"ip link set {THERE} netns {SPACE}",
            f"ip addr add {OURS}/32 peer {THEIRS} dev {HERE}",
            f"ip link set {HERE} up",
            f"ip -n {SPACE} addr add {THEIRS}/32 peer {OURS} dev {THERE}",
            f"ip -n {SPACE} link set {THERE} up",
        )
        yield THEIRS, before, stack.enter_context(Tunnel((ends[0], ends[1])).running())


def _device(stack: ExitStack, name: str) -> int:
    """A TUN device of that name. Raises NotHereError."""
    try:
        end = os.open(TUN, os.O_RDWR)
        stack.callback(os.close, end)
        fcntl.ioctl(end, SET_NAME, struct.pack("16sH22x", name.encode(), PLAIN))
    except OSError as error:
        raise NotHereError(f"{TUN}: {error.strerror}") from None
    return end
