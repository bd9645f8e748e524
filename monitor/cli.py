"""The command line of the monitor."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ecg import settings
from ecg.errors import UserError
from ecg.settings import Config

if TYPE_CHECKING:
    from ecg.wire.broker import Broker
    from monitor.service.loop import Service

NOT_CLINICAL = "Research and education only. Never for the care of a patient."


def parser() -> argparse.ArgumentParser:
    """Every option; what is not given comes from config.toml."""
    made = argparse.ArgumentParser(
        prog="python -m monitor",
        description="Find, read and show the beats of live ECG that comes over MQTT. " + NOT_CLINICAL,
        epilog="python -m monitor bench ... measures speed; python -m monitor alarms ... scores the alarms.",
    )
    made.add_argument("--broker", metavar="HOST:PORT", help="MQTT broker")
    made.add_argument("--root", help="topic root, such as ecg/v1")
    made.add_argument("--weights", help="shipped weights by name, or a .safetensors file")
    made.add_argument("--device", help='"auto", "cpu", "cuda", "cuda:0"')
    made.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    made.add_argument(
        "--resume", type=Path, metavar="FILE", help="take the memory of all beds from FILE, and save it there"
    )
    made.add_argument("--headless", action="store_true", help="print one JSON line a beat, draw nothing")
    made.add_argument(
        "--until-idle", type=float, metavar="S", help="end a headless run S seconds after the last message"
    )
    made.add_argument("--demo", action="store_true", help="start a producer too, and a broker where none answers")
    made.add_argument("--records", help="of the demonstration's producer (default: as config.toml says)")
    made.add_argument("--beds", help="of the demonstration's producer")
    made.add_argument("--speed", help="of the demonstration's producer")
    made.add_argument(
        "--truth-view", action="store_true", help="begin with the cardiologists' letters beside the model's"
    )
    made.add_argument("--web", action="store_true", help="serve the screen to a browser (loopback only)")
    made.add_argument("--web-host", default="127.0.0.1", help="address the browser's screen is served at")
    made.add_argument("--web-port", type=int, default=8000, help="port the browser's screen is served at")
    made.add_argument("--service", action="store_true", help=argparse.SUPPRESS)
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run the monitor; returns its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["bench"]:
        from monitor import bench

        return bench.run(given[1:])
    if given[:1] == ["alarms"]:
        from monitor.evaluation import scoring

        return scoring.run(given[1:])
    options = parser().parse_args(given)
    config = with_options(settings.load(options.config), options)
    if options.until_idle is not None and not options.headless:
        raise UserError("--until-idle belongs to --headless: a screen is left with q")
    if options.headless or options.service:
        return serve(config, options)
    if options.web:
        from monitor import web

        return web.serve(config, options, demo_arguments(options))
    return draw(config, options, [part for part in given if part != "--truth-view"])


def with_options(config: Config, options: argparse.Namespace) -> Config:
    """The settings with what the command line says. Raises UserError where a value cannot be used."""
    mqtt, model = config.mqtt, config.model
    if options.broker is not None:
        host, port = settings.host_and_port(options.broker)
        mqtt = msgspec.structs.replace(mqtt, host=host, port=port)
    if options.root is not None:
        mqtt = settings.with_root(mqtt, options.root)
    if options.weights is not None:
        model = msgspec.structs.replace(model, weights=options.weights)
    if options.device is not None:
        model = msgspec.structs.replace(model, device=options.device)
    return msgspec.structs.replace(config, mqtt=mqtt, model=model)


def draw(config: Config, options: argparse.Namespace, arguments: list[str]) -> int:
    """The screen here, the service in a process of its own."""
    if not sys.stdout.isatty() and "TEXTUAL_DRIVER" not in os.environ:  # a browser is no terminal
        raise UserError("the screen needs a terminal: use --headless for a script")
    from monitor.link.transport import ServiceProcess
    from monitor.screen.app import MonitorApp

    link = ServiceProcess(arguments)
    try:
        app = MonitorApp(link, config, truth=options.truth_view)
        app.run()
    finally:
        link.close()
    if app.return_code:
        print(app.problem or "the monitor's service ended", file=sys.stderr)
    return app.return_code or 0


@contextmanager
def source(config: Config, options: argparse.Namespace) -> Iterator[tuple[Broker, Callable[[], None]]]:
    """The broker, and what to call once the service listens: in a demonstration that starts the signal."""
    with ExitStack() as stack:
        if options.demo:
            from monitor import demo

            shown = stack.enter_context(demo.producer(config, demo_arguments(options)))
            yield shown.broker, shown.begin
        else:
            from ecg.wire import broker

            yield stack.enter_context(broker.ensure(config.mqtt)), lambda: None


def demo_arguments(options: argparse.Namespace) -> list[str]:
    """The producer's command line in a demonstration: for ever, unless the settings say which records."""
    made = ["--loop"] if options.until_idle is None else []
    for name in ("records", "beds", "speed", "broker", "root", "config"):
        value = getattr(options, name)
        if value is not None:
            made += [f"--{name}", str(value)]
    return made


def serve(config: Config, options: argparse.Namespace) -> int:
    """The service in this process: for scripts (--headless), or for a screen at the other end of a pipe."""
    with source(config, options) as (broker, listening):
        return asyncio.run(_serve(config, broker, listening, options))


async def _serve(config: Config, broker: Broker, listening: Callable[[], None], options: argparse.Namespace) -> int:
    service = make_service(config, broker, options.headless, options.resume)
    service.on_listening = listening
    return await (_headless(service, options.until_idle) if options.headless else _piped(service))


def make_service(config: Config, broker: Broker, headless: bool, saved: Path | None = None) -> Service:
    """Load the network and put everything together. Raises UserError where the weights do not fit."""
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    import torch

    from ecg.model import weights
    from ecg.model.device import pick_device
    from ecg.wire.messages import Beat, encode_json
    from monitor.service import checkpoint as memory
    from monitor.service.loop import Service
    from monitor.ward.ward import Ward

    if config.model.threads:
        torch.set_num_threads(config.model.threads)
    net, card = weights.load(config.model.weights)
    ward = Ward(config, net, card.name, pick_device(config.model.device))

    def show(beat: Beat) -> None:
        sys.stdout.buffer.write(encode_json(beat) + b"\n")

    if saved:
        print(memory.load(ward, saved), file=sys.stderr)
    return Service(config, broker, ward, show if headless else None, saved)


async def _headless(service: Service, until_idle: float | None) -> int:
    exit_status = 0
    loop = asyncio.get_running_loop()

    def interrupted(number: int) -> None:
        nonlocal exit_status
        exit_status = 130 if number == signal.SIGINT else 0
        service.halt()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted, number)
    try:
        await service.run(until_idle)
    except BrokenPipeError:  # nobody reads any more
        with suppress(OSError):
            sys.stdout.close()
        return 0
    print(service.ledger_line(), flush=True)
    for problem in service.problems:
        print(f"skipped a message on {problem}", file=sys.stderr)
    return exit_status


async def _piped(service: Service) -> int:
    from monitor.link.transport import Pipe

    pipe = await Pipe.open()

    async def listen() -> None:
        while (intent := await pipe.read()) is not None:
            service.intent(intent)
        service.halt()

    async def tell() -> None:
        while True:
            await asyncio.sleep(1 / service.view.frames_per_second)
            if not pipe.behind:
                pipe.write(service.view.build(service.status()))

    helpers = [asyncio.create_task(listen()), asyncio.create_task(tell())]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.halt)
    try:
        await service.run()
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
    return 0
