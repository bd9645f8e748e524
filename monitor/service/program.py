"""The service as a program: its place on this host, its broker, its screens, and how it ends."""

from __future__ import annotations

import _thread
import argparse
import asyncio
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import monitor
from ecg.errors import UserError
from ecg.programs import end_signals
from ecg.settings import Config
from ecg.signal import compiled
from ecg.wire import broker as brokers
from ecg.wire.broker import Broker
from monitor.link import frames, place
from monitor.link.protocol import Quit
from monitor.link.server import Screens
from monitor.link.transport import ENDING, READY, STAYING
from monitor.service import rivals
from monitor.service.printing import last

if TYPE_CHECKING:
    from monitor.service.loop import Service
    from monitor.ward.events import Event

RIVAL: Final = 3
NOTHING_CAME: Final = 4
QUIT_SECONDS: Final = 15.0
LEAVE_SECONDS: Final = 0.2
"""A starter's screen and its standard input end at nearly the same moment."""


class AnotherMonitorError(UserError):
    """Another monitor reads the same broker and root."""

    status = RIVAL


def run(config: Config, options: argparse.Namespace) -> int:
    """Serve until asked to end; returns the exit status. Raises UserError, AnotherMonitorError among them."""
    held = _hold(config, options.force)
    starter = None
    try:
        starter = Starter() if getattr(options, "for_screens", False) else None
        with _source(config, options) as (broker, listening):
            return asyncio.run(_serve(config, options, broker, listening, held, starter))
    except KeyboardInterrupt:
        if starter and starter.gone.done():
            return 0
        raise
    finally:
        held.close()


def _hold(config: Config, force: bool) -> place.Held:
    """The place on this host for the broker and root; --force ends whoever has it."""
    mqtt = config.mqtt
    at = place.place(mqtt.host, mqtt.port, mqtt.topic_root)
    try:
        return place.hold(at)
    except place.Taken as taken:
        if not force:
            raise AnotherMonitorError(
                f"{taken} of this host reads {mqtt.host}:{mqtt.port} under {mqtt.topic_root} already: see it with "
                "python -m monitor, or take over with --force"
            ) from None
        other = taken.pid
    link = place.connect(at)
    if link is not None:
        with link, suppress(OSError):
            link.settimeout(QUIT_SECONDS)
            link.sendall(frames.frame(Quit()))
            link.shutdown(socket.SHUT_WR)
            while link.recv(1 << 16):  # it hangs up once it has heard that
                pass
    limit = time.monotonic() + QUIT_SECONDS
    while True:
        with suppress(place.Taken):
            return place.hold(at)
        if time.monotonic() > limit:
            if not other:
                raise AnotherMonitorError("the other monitor of this host does not end: end it, then start again")
            with suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)  # it is this user's, holds the place, and does not listen
            other = 0
            limit = time.monotonic() + QUIT_SECONDS


class Starter:
    """Whoever started this service for a screen, at the other end of its standard input and output.

    serving: has the service begun? Until then it ends at once when its starter goes.
    """

    def __init__(self) -> None:
        self.gone: Future[None] = Future()
        self.serving = False
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.say(READY)
        threading.Thread(target=self._watch, name="starter", daemon=True).start()

    def say(self, word: str) -> None:
        """Tell it something, if it is still there."""
        with suppress(OSError, ValueError):
            print(word, flush=True)

    def _watch(self) -> None:
        with suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        self.gone.set_result(None)
        if not self.serving:
            _thread.interrupt_main()


@contextmanager
def _source(config: Config, options: argparse.Namespace) -> Iterator[tuple[Broker, Callable[[], None]]]:
    """The broker, and what to call once the service listens: in a demonstration that starts the signal."""
    with ExitStack() as stack:
        if options.demo:
            from monitor import demo

            shown = stack.enter_context(demo.producer(config, demo_arguments(options), get_ready))
            yield shown.broker, shown.begin
        else:
            yield stack.enter_context(brokers.ensure(config.mqtt)), lambda: None


def demo_arguments(options: argparse.Namespace) -> list[str]:
    """The producer's command line in a demonstration: for ever, unless the settings say which records."""
    made = ["--loop"] if getattr(options, "until_idle", None) is None else []
    for name in ("records", "file", "beds", "speed", "broker", "root", "config"):
        value = getattr(options, name)
        if value is not None:
            made += [f"--{name}", str(value)]
    return made


async def _serve(
    config: Config,
    options: argparse.Namespace,
    broker: Broker,
    listening: Callable[[], None],
    held: place.Held,
    starter: Starter | None,
) -> int:
    headless = getattr(options, "headless", False)
    await _look_for_rivals(config, broker, options.force)  # before the network is loaded: that leaves no time to hear
    service = make_service(config, broker, headless, options.resume)
    if starter:
        starter.serving = True
    screens = Screens(service, held, monitor.__version__)
    await screens.open()
    interrupted = _end_on_signals(service, starter is not None)
    service.on_listening = listening if headless or starter else lambda: _announce(config, listening)
    wanted = asyncio.create_task(_while_wanted(service, screens, starter)) if starter else None
    why, status = "the monitor's service ended", 1
    try:
        await service.run(getattr(options, "until_idle", None))
    except UserError as error:
        why, status = str(error), 2
        raise
    except BrokenPipeError:  # nobody reads the beats any more
        with suppress(OSError):
            sys.stdout.close()
        return 0
    except Exception as error:
        why = f"the monitor's service failed ({type(error).__name__}: {error})"
        raise
    finally:
        await screens.close(why, status)
        if wanted:
            wanted.cancel()
    return _ended(service, options, headless) or (130 if signal.SIGINT in interrupted else 0)


def _ended(service: Service, options: argparse.Namespace, headless: bool) -> int:
    """Say how it was; the exit status."""
    if headless and (unsaid := last(service.ledger_line())):
        print(unsaid, service.ledger_line(), sep=": ", file=sys.stderr)
    for problem in service.problems:
        print(problem, file=sys.stderr)
    ledger = service.ward.ledger
    if headless and options.until_idle is not None and not (ledger.received or ledger.repeated or ledger.junk):
        print("nothing came: no signal on this broker and root before --until-idle ended the run", file=sys.stderr)
        return NOTHING_CAME
    return 0


def _announce(config: Config, listening: Callable[[], None]) -> None:
    mqtt = config.mqtt
    print(
        f"serving {mqtt.host}:{mqtt.port} under {mqtt.topic_root}: python -m monitor shows it, Ctrl-C ends it",
        file=sys.stderr,
    )
    listening()


async def _look_for_rivals(config: Config, broker: Broker, force: bool) -> None:
    """Raises AnotherMonitorError where another monitor reads this broker and root.

    A broker of our own is not asked: whoever reached it in its first second is on this host, where one has the place.
    """
    if broker.own:
        return
    rival, mqtt = await rivals.find(config.mqtt, broker, config.monitor.status_seconds), config.mqtt
    if rival is None:
        return
    beds = f"{rival.status.beds} bed{'' if rival.status.beds == 1 else 's'}"
    if not force:
        raise AnotherMonitorError(
            f"monitor {rival.name} (version {rival.status.version}, {beds}) reads {mqtt.host}:{mqtt.port} under "
            f"{mqtt.topic_root} already: end it, or pass over it with --force"
        )
    print(f"passing over monitor {rival.name}, which publishes too for as long as it runs", file=sys.stderr)


def _end_on_signals(service: Service, for_screens: bool) -> list[int]:
    """End in order when asked by a signal; which came is told in the list."""
    came: list[int] = []

    def interrupted(number: int) -> None:
        came.append(number)
        service.halt()

    loop = asyncio.get_running_loop()
    for number in end_signals():
        if for_screens and number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        else:
            loop.add_signal_handler(number, interrupted, number)
    return came


async def _while_wanted(service: Service, screens: Screens, starter: Starter) -> None:
    """End the service once its starter has gone and no screen is attached any more."""
    await asyncio.wrap_future(starter.gone)
    await asyncio.sleep(LEAVE_SECONDS)
    if screens.attached:
        starter.say(STAYING)
        while screens.attached:
            screens.changed.clear()
            await screens.changed.wait()
    else:
        starter.say(ENDING)
    service.halt()


def get_ready() -> None:
    """Load what `make_service` needs, whatever the settings say: code and kernels."""
    from monitor.service import loop  # noqa: F401

    compiled.kernels()


def make_service(config: Config, broker: Broker, headless: bool, saved: Path | None = None) -> Service:
    """Load the network and put everything together. Raises UserError where the weights do not fit."""
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    from ecg.model import weights
    from ecg.model.device import device_name, limit_threads
    from ecg.wire.messages import Beat, encode_json
    from monitor.service import checkpoint as memory
    from monitor.service.loop import Service
    from monitor.service.recorder.tail import read_on
    from monitor.service.status import fitted_on
    from monitor.ward.ward import Ward

    limit_threads(config.model.threads)
    fitted, card = weights.load(config.model.weights)
    ward = Ward(config, fitted, card.name, device_name(config.model.device), doubt=card.doubt)

    def show(beat: Beat) -> None:
        sys.stdout.buffer.write(encode_json(beat) + b"\n")

    resumed: list[Event] = []
    if saved:
        print(memory.load(ward, saved), file=sys.stderr)
        if config.recorder.folder:
            resumed = read_on(ward, Path(config.recorder.folder).expanduser())
    return Service(config, broker, ward, show if headless else None, saved, fitted_on(card.metrics), resumed)
