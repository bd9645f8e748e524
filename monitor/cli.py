"""The command line of the monitor: what can be said, and which part of the program it means."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ecg import logs, programs, settings
from ecg.errors import UserError

EXIT_STATUS = (
    "Exit status: 0 left or ended as asked; 1 the service ended; 2 something given cannot be used; 3 another monitor "
    "reads this broker and root already; 4 nothing came before --until-idle; 130 interrupted."
)


def parser() -> argparse.ArgumentParser:
    """Every option; what is not given comes from config.toml."""
    made = argparse.ArgumentParser(
        prog=programs.shown("monitor"),
        description="Find, read and show the beats of live ECG that comes over MQTT: attach to the service that runs "
        "on this host for the same broker and root, or start one that ends with its last screen. "
        + programs.NOT_CLINICAL,
        epilog=f"{programs.shown('monitor')} serve ... runs the service alone, for any number of screens; bench ... "
        "measures speed; alarms ... scores the alarms; replay ... and export ... read recordings. " + EXIT_STATUS,
    )
    programs.add_version(made)
    _service_options(made)
    made.add_argument("--attach", action="store_true", help="attach to a running service, never start one")
    made.add_argument("--headless", action="store_true", help="print one JSON line a beat, draw nothing")
    made.add_argument(
        "--until-idle",
        type=programs.number("--until-idle", 0.1, 86_400),
        metavar="S",
        help="end a headless run S seconds after the last message",
    )
    made.add_argument(
        "--truth-view", action="store_true", help="begin with the cardiologists' letters beside the model's"
    )
    made.add_argument(
        "--teach", action="store_true", help="a teacher's panel (key i) steers the beds of producers that take commands"
    )
    made.add_argument(
        "--model",
        choices=("rnn", "lstm", "gru", "tutorial"),
        help="begin with the letters of another network below the ward's own, and the scores of all (keys 1 to 4)",
    )
    made.add_argument(
        "--forecast", action="store_true", help="begin with the next second as a dim continuation of the strip (key d)"
    )
    made.add_argument("--web", action="store_true", help="serve the screen to a browser (loopback only)")
    made.add_argument("--web-host", default="127.0.0.1", help="address the browser's screen is served at")
    made.add_argument(
        "--web-port",
        type=programs.whole("--web-port", 1, 65535),
        default=8000,
        help="port the browser's screen is served at",
    )
    return made


def serve_parser() -> argparse.ArgumentParser:
    """Options of `python -m monitor serve`."""
    made = argparse.ArgumentParser(
        prog=f"{programs.shown('monitor')} serve",
        description="Run the service alone: find and read beats, raise alarms, publish both, and let screens of this "
        "user attach (python -m monitor, --web). " + programs.NOT_CLINICAL,
        epilog=EXIT_STATUS,
    )
    _service_options(made)
    made.add_argument("--for-screens", action="store_true", help=argparse.SUPPRESS)
    return made


def _service_options(made: argparse.ArgumentParser) -> None:
    """What a service can be told, by whoever starts it."""
    made.add_argument("--broker", metavar="HOST:PORT", help="MQTT broker, or mqtt[s]://user@host:port")
    made.add_argument("--root", help="topic root, such as ecg/v1")
    made.add_argument("--weights", help="shipped weights by name, or a .safetensors file")
    made.add_argument("--device", help='"auto", "cpu", "cuda", "cuda:0"')
    made.add_argument("--config", type=Path, help="settings file (default: config.toml)")
    made.add_argument(
        "--resume", type=Path, metavar="FILE", help="take the memory of all beds from FILE, and save it there"
    )
    made.add_argument("--record", metavar="DIR", help="record signal, beats and alarms of all beds in the folder DIR")
    made.add_argument("--demo", action="store_true", help="start a producer too, and a broker where none answers")
    made.add_argument("--records", help="of the demonstration's producer (default: as config.toml says)")
    made.add_argument("--file", type=Path, metavar="PATH", help="what the demonstration's producer sends instead")
    made.add_argument("--beds", help="of the demonstration's producer")
    made.add_argument("--speed", help="of the demonstration's producer")
    made.add_argument("--check", action="store_true", help="say whether all that a service needs can be used")
    programs.add_log_level(made)
    made.add_argument(
        "--force",
        action="store_true",
        help="take over: end a service of this host for the same broker and root, pass over one elsewhere",
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the monitor; returns its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    command = COMMANDS.get(given[0]) if given else None
    return command(given[1:]) if command else _screen(given)


def _screen(given: list[str]) -> int:
    options = parser().parse_args(given)
    if options.until_idle is not None and not options.headless:
        raise UserError("--until-idle belongs to --headless: a screen is left with q")
    if options.headless and (options.model or options.forecast):
        given_one = "--model" if options.model else "--forecast"
        raise UserError(f"{given_one} is drawn on a screen, and --headless draws nothing: leave one out")
    if options.headless and (options.web or options.attach):
        raise UserError(
            f"--headless draws nothing and {'--web' if options.web else '--attach'} is for a screen: leave one out"
        )
    from monitor import app

    config = app.with_options(settings.load(options.config), options)
    if options.check:
        return app.check(config, options)
    logs.begin(config.log, options.log_level, quiet=not (options.headless or options.web))
    if options.headless:
        return app.serve(config, options)
    return app.browser(config, options) if options.web else app.screen(config, options)


def _serve(given: list[str]) -> int:
    from monitor import app

    options = serve_parser().parse_args(given)
    config = app.with_options(settings.load(options.config), options)
    if options.check:
        return app.check(config, options)
    logs.begin(config.log, options.log_level, quiet=options.for_screens)
    return app.serve(config, options)


def _bench(given: list[str]) -> int:
    from monitor import bench

    return bench.run(given)


def _alarms(given: list[str]) -> int:
    from monitor.evaluation import command

    return command.run(given)


def _replay(given: list[str]) -> int:
    from monitor.evaluation import replaying

    return replaying.run(given)


def _certs(given: list[str]) -> int:
    from monitor import certs

    return certs.run(given)


def _export(given: list[str]) -> int:
    from monitor.evaluation import edf

    return edf.run(given)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "serve": _serve,
    "bench": _bench,
    "alarms": _alarms,
    "replay": _replay,
    "export": _export,
    "certs": _certs,
}
