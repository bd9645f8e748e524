"""Screens on a service's link: what one of them does is no other's trouble, nor the service's."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from monitor.link import frames, place
from monitor.link.contract import LinkClosed
from monitor.link.protocol import (
    LINK,
    Acknowledge,
    Farewell,
    Hello,
    Intent,
    Quit,
    ServiceStatus,
    Show,
    Silence,
    Snapshot,
    Told,
)
from monitor.link.server import MOST_SCREENS, Screens
from monitor.link.transport import MOST_PENDING, ScreenLink
from monitor.service.feed import View, Views
from tests.support.shown_ward import WardLink

pytestmark = pytest.mark.usefixtures("runtime")


class WardHost:
    """A service around a small real ward."""

    def __init__(self, beds: int = 2, seconds: float = 30.0) -> None:
        self.link = WardLink(beds, seconds)
        self.views = Views(self.link.ward)
        self.intents: list[Intent] = []
        self.heard = asyncio.Event()

    def open_feed(self) -> View:
        return self.views.open()

    def intent(self, intent: Intent) -> None:
        self.intents.append(intent)
        if isinstance(intent, Quit):
            self.heard.set()

    def status(self) -> ServiceStatus:
        return self.link.status()


class Screen:
    """A screen that says what a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *intents: Intent) -> None:
        for intent in intents:
            self.writer.write(frames.frame(intent))

    async def told(self) -> Told | None:
        payload = await asyncio.wait_for(frames.receive(self.reader, frames.MOST_TOLD), 20)
        return None if payload is None else frames.told(payload)

    async def until(self, ready: Callable[[Snapshot], bool]) -> Snapshot:
        """The first snapshot that is so."""
        while True:
            message = await self.told()
            assert isinstance(message, Snapshot), message
            if ready(message):
                return message

    async def rest(self) -> list[Told]:
        """All that comes until the end."""
        found = []
        while (message := await self.told()) is not None:
            found.append(message)
        return found


@asynccontextmanager
async def serving(host: WardHost, tcp: bool = False) -> AsyncIterator[tuple[Screens, Callable[[], asyncio.Future]]]:  # type: ignore[type-arg]
    """The host's screens may come: call the second to make one come."""
    held = place.hold(place.place("127.0.0.1", 1883, "ecg/v1", tcp=tcp))
    screens = Screens(host, held, "1.2.3")
    await screens.open()
    opened: list[Screen] = []

    async def come() -> Screen:
        if tcp:
            port, secret = held.place.secret_path.read_text().split()
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port), limit=1 << 24)
            writer.write(secret.encode())
        else:
            reader, writer = await asyncio.open_unix_connection(str(held.place.socket_path), limit=1 << 24)
        opened.append(Screen(reader, writer))
        return opened[-1]

    try:
        yield screens, come  # type: ignore[misc]
    finally:
        for screen in opened:
            screen.writer.close()
        await screens.close("over")
        held.close()


@pytest.mark.parametrize("tcp", [False, True])
async def test_each_screen_sees_the_beds_and_the_history_it_asked_for(tcp: bool) -> None:
    host = WardHost(beds=3)
    async with serving(host, tcp) as (screens, come):
        one, other = await come(), await come()
        one.say(Show(["bed-1"], 20.0))
        other.say(Show(["bed-2", "bed-3"], 5.0))
        assert await one.told() == await other.told() == Hello(LINK, "1.2.3", os.getpid())
        seen = await one.until(lambda snapshot: bool(snapshot.shown))
        far = await other.until(lambda snapshot: bool(snapshot.shown))
        assert [detail.bed for detail in seen.shown] == ["bed-1"]
        assert [detail.bed for detail in far.shown] == ["bed-2", "bed-3"]
        assert sum(len(strip.samples) for strip in seen.shown[0].strips) == 20 * 360 * 4
        assert sum(len(strip.samples) for strip in far.shown[0].strips) == 5 * 360 * 4
        assert seen.status.screens == far.status.screens == screens.attached == 2
        one.writer.close()
        await other.until(lambda snapshot: snapshot.status.screens == 1)
        assert len(host.views._open) == 1


async def test_intents_reach_the_ward_and_no_screen_hears_of_another() -> None:
    host = WardHost()
    async with serving(host) as (screens, come):
        one = await come()
        one.say(Acknowledge("bed-1"), Silence("bed-2", 60.0), Quit())
        await asyncio.wait_for(host.heard.wait(), 20)
        assert host.intents == [Acknowledge("bed-1"), Silence("bed-2", 60.0), Quit()]
        assert screens.failed == 0


async def test_what_was_asked_for_just_before_leaving_is_heard() -> None:
    host = WardHost(beds=1)
    async with serving(host) as (screens, _):
        for number in range(20):
            attached = await asyncio.to_thread(place.connect, screens._held.place)
            assert attached is not None
            link = ScreenLink(attached)
            link.send(Acknowledge("bed-1"))
            link.send(Silence("bed-1", float(number)))
            await asyncio.to_thread(link.close)
            assert host.intents[-2:] == [Acknowledge("bed-1"), Silence("bed-1", float(number))]


def packed(message: object) -> bytes:
    payload = msgspec.msgpack.encode(message)
    return struct.pack("<I", len(payload)) + payload


@pytest.mark.parametrize(
    "bad",
    [
        struct.pack("<I", 5) + b"\xc1\xc1\xc1\xc1\xc1",
        struct.pack("<I", 1 << 31),
        packed({"type": "reboot"}),
        packed({"type": "show", "beds": ["b"] * 65}),
        packed({"type": "show", "beds": ["b"], "history_s": float("nan")}),
        packed({"type": "show", "beds": ["b"], "frames_per_second": -1.0}),
        packed({"type": "silence", "bed": "b", "seconds": float("inf")}),
        packed({"type": "acknowledge", "bed": "b" * 65}),
        packed({"type": "acknowledge"}),
        packed([1, 2, 3]),
        struct.pack("<I", 20_000) + b"\x91" * 20_000,
    ],
    ids=["no-messagepack", "2-GiB", "unknown", "65-beds", "nan", "negative", "infinite", "long-name", "no-bed", "list",
         "nested"],
)  # fmt: skip
async def test_what_cannot_be_understood_ends_that_screen_alone_and_is_counted(
    bad: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    host = WardHost(beds=1)
    async with serving(host) as (screens, come):
        good, wrong = await come(), await come()
        good.say(Show(["bed-1"]))
        assert isinstance(await good.told(), Hello)
        await good.until(lambda snapshot: bool(snapshot.shown))
        wrong.writer.write(bad)
        last = (await wrong.rest())[-1]
        assert isinstance(last, Farewell) and "not understood" in last.why
        seen = await good.until(lambda snapshot: snapshot.status.screens_failed == 1)
        assert seen.status.screens == screens.attached == 1
        assert host.intents == []
    assert "not understood" in capsys.readouterr().err


async def test_who_does_not_know_the_secret_is_told_nothing() -> None:
    host = WardHost(beds=1)
    async with serving(host, tcp=True) as (screens, _):
        port = screens._held.listening.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"0" * 32)
        said = await asyncio.wait_for(reader.read(), 20)
        assert isinstance(frames.told(said[4:]), Farewell)
        assert screens.attached == 0 and screens.failed == 1


async def test_a_screen_that_does_not_read_costs_one_frame_and_delays_nobody() -> None:
    host = WardHost(beds=2, seconds=200.0)
    async with serving(host) as (screens, come):
        still, good = await come(), await come()
        still.writer.transport.pause_reading()
        still.say(Show(["bed-1", "bed-2"], 600.0, 60.0))
        good.say(Show(["bed-1"], 1.0, 60.0))
        assert isinstance(await good.told(), Hello)
        most, grown = 0, []
        for _ in range(60):
            host.link.clock.now += 1.0
            host.link._run()
            await good.until(lambda snapshot: bool(snapshot.shown and snapshot.shown[0].strips))
            waiting = [writer.transport.get_write_buffer_size() for writer in screens._writers]
            most = max(most, *waiting)
            grown.append(most)
        assert most > 0, "the still screen's frame waits"
        assert grown[-1] == grown[len(grown) // 2], "and no second one joins it"
        assert most <= frames.MOST_TOLD
        still.writer.transport.resume_reading()
        assert isinstance(await still.told(), Hello)
        total = 0
        while total < 260 * 360 * 4:  # all of it comes after all
            seen = await still.until(lambda snapshot: bool(snapshot.shown))
            first = seen.shown[0]
            total = 0 if first.fresh else total
            total += sum(len(strip.samples) for strip in first.strips)
        assert total == 260 * 360 * 4


async def test_a_screen_whose_telling_fails_is_told_and_counted_and_the_others_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class FailingOnce(WardHost):
        def open_feed(self) -> View:
            made = super().open_feed()
            if len(self.views._open) == 2:
                del made._cursors  # a fault of ours in one screen's feed
            return made

    host = FailingOnce()
    async with serving(host) as (_, come):
        good = await come()
        assert isinstance(await good.told(), Hello)
        unlucky = await come()
        last = (await unlucky.rest())[-1]
        assert isinstance(last, Farewell) and "telling this screen failed (AttributeError" in last.why
        await good.until(lambda snapshot: snapshot.status.screens_failed == 1)
    assert "telling this screen failed" in capsys.readouterr().err


async def test_more_screens_than_there_may_be_are_refused_in_words() -> None:
    host = WardHost(beds=1)
    async with serving(host) as (screens, come):
        for _ in range(MOST_SCREENS):
            screen = await come()
            await screen.told()
        refused = await come()
        only = await refused.rest()
        assert len(only) == 1 and isinstance(only[0], Farewell) and str(MOST_SCREENS) in only[0].why
        assert screens.attached == MOST_SCREENS


async def test_the_end_of_the_service_is_told_to_every_screen() -> None:
    host = WardHost(beds=1)
    async with serving(host) as (screens, come):
        both = [await come(), await come()]
        for screen in both:
            await screen.told()
        await screens.close("the broker refuses the connection", 2)
        for screen in both:
            assert (await screen.rest())[-1] == Farewell("the broker refuses the connection", 2)


def ended(link: ScreenLink) -> LinkClosed:
    """How a link ends."""
    while True:
        try:
            link.snapshot()
        except LinkClosed as closed:
            return closed
        link._thread.join(0.01)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (struct.pack("<I", 3) + b"\xc1\xc1\xc1", "cannot be understood"),
        (struct.pack("<I", 1 << 31), "cannot be understood"),
        (packed({"type": "hello", "link": 99, "version": "9.9", "pid": 1}), "version 9.9"),
        (packed({"type": "farewell", "why": "no more", "status": 3}), "no more"),
        (b"\x01", "service ended"),
    ],
)
def test_a_screen_never_stands_still_in_silence(said: bytes, words: str) -> None:
    ours, theirs = socket.socketpair()
    link = ScreenLink(ours)
    theirs.sendall(said)
    theirs.shutdown(socket.SHUT_WR)
    closed = ended(link)
    assert words in str(closed)
    assert closed.status == (3 if "no more" in words else 1)
    link.close()
    theirs.close()


def test_a_screen_that_does_not_draw_stops_reading_and_goes_on_where_it_was() -> None:
    link = WardLink(1, 5.0)
    ours, theirs = socket.socketpair()
    screen = ScreenLink(ours)
    theirs.setblocking(False)
    made = frames.frame(Snapshot(link.status(), [], [], []))
    sent = 0
    try:
        while sent < 200 * len(made):
            piece = made[sent % len(made) :]
            theirs.setblocking(True)
            theirs.settimeout(0.3)
            sent += theirs.send(piece)
    except TimeoutError:
        pass
    while screen._merged < MOST_PENDING:
        screen._thread.join(0.01)
    assert screen._merged == MOST_PENDING
    assert screen.snapshot() is not None
    while screen._merged == 0:
        screen._thread.join(0.01)
    assert screen.snapshot() is not None
    screen.close()
    theirs.close()


def test_asking_a_service_that_takes_nothing_never_waits() -> None:
    ours, theirs = socket.socketpair()
    screen = ScreenLink(ours)
    for _ in range(20_000):
        screen.send(Acknowledge("bed-1"))
    screen.close()
    theirs.close()
