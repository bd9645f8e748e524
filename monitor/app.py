"""What the command line means: a service, a screen attached to one, or a browser's screens, put together."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from contextlib import suppress

import msgspec

from ecg import programs, settings
from ecg.errors import UserError
from ecg.settings import Config
from monitor.link import place, transport
from monitor.link.contract import LinkClosed

OF_THE_SERVICE = ("weights", "device", "resume", "record", "records", "file", "beds", "speed")
"""Options that mean nothing to a service that runs already."""
OF_BOTH = ("broker", "root", "config")
"""Options that say which service is meant."""


class StartError(UserError):
    """A service could not be started, or ended; in its own words. status: exit status."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


def with_options(config: Config, options: argparse.Namespace) -> Config:
    """The settings with what the command line says. Raises UserError where a value cannot be used."""
    mqtt, model = config.mqtt, config.model
    if options.broker is not None:
        mqtt = settings.with_broker(mqtt, options.broker)
    if options.root is not None:
        mqtt = settings.with_root(mqtt, options.root)
    if options.weights is not None:
        model = msgspec.structs.replace(model, weights=options.weights)
    if options.device is not None:
        model = msgspec.structs.replace(model, device=options.device)
    if options.record is not None:
        config = settings.with_value(config, "recorder", "folder", options.record, "--record")
    return msgspec.structs.replace(config, mqtt=mqtt, model=model)


def serve(config: Config, options: argparse.Namespace) -> int:
    """The service in this process: for whoever attaches, and for scripts (--headless)."""
    from monitor.service import program

    return program.run(config, options)


def check(config: Config, options: argparse.Namespace) -> int:
    """Whether a service with these settings could run here (--check)."""
    from monitor import checking

    return checking.run(config, options)


def screen(config: Config, options: argparse.Namespace) -> int:
    """A screen on this terminal, attached to the service of this host or to one that is started for it."""
    if not sys.stdout.isatty() and "TEXTUAL_DRIVER" not in os.environ:  # a browser is no terminal
        raise UserError("the screen needs a terminal: use --headless for a script")
    from monitor.screen.app import MonitorApp

    at = place_of(config)
    link = None if options.force else transport.attach(at)
    if link is not None:
        refuse_late(options)
    elif options.attach:
        raise UserError(f"{described(config)} has no service on this host: start one with python -m monitor serve")
    else:
        try:
            link = transport.start(at, service_arguments(options))
        except LinkClosed as closed:
            raise StartError(str(closed), closed.status) from None
    try:
        shown = MonitorApp(
            link,
            config,
            truth=options.truth_view,
            teach=options.teach,
            who=person(),
            model=options.model or "",
            forecast=options.forecast,
        )
        programs.end_with_terminal()
        shown.run()
    finally:
        link.close()
    if shown.return_code:
        print(shown.problem or "the monitor's service ended", file=sys.stderr)
    return shown.return_code or 0


def person() -> str:
    """Who sits at this screen, for the alarm log: the user of the system, or of the browser's server."""
    with suppress(OSError, KeyError, ImportError):
        name = getpass.getuser()
        return f"{name} (web)"[:64] if "TEXTUAL_DRIVER" in os.environ else name[:64]
    return ""


def browser(config: Config, options: argparse.Namespace) -> int:
    """Screens in a browser, all of them attached to one service: the one that runs, or one that ends with this."""
    from monitor import web

    web.check(options.web_host, options.web_port)
    token = web.entry(options.web_host, config.screen.web_token_file)
    at = place_of(config)
    child = None
    running = None if options.force else place.connect(at)
    if running is not None:
        running.close()
        refuse_late(options)
    elif options.attach:
        raise UserError(f"{described(config)} has no service on this host: start one with python -m monitor serve")
    else:
        child = transport.ServiceChild(service_arguments(options))
        if not child.ready:
            status, said = child.said()
            raise StartError(said, status)
    command = [*programs.command("monitor"), "--attach", *given(options, OF_BOTH)]
    if options.truth_view:
        command.append("--truth-view")
    if options.teach:
        command.append("--teach")
    if options.model:
        command += ["--model", options.model]
    if options.forecast:
        command.append("--forecast")
    try:
        there = (lambda: child.running) if child else (lambda: True)
        web.serve(command, options.web_host, options.web_port, config.screen.web_tabs, there, token)
        if child and not child.running:
            status, said = child.said()
            raise StartError(said, status)
    finally:
        if child:
            child.leave()
    return 0


def place_of(config: Config) -> place.Place:
    """Where the service of this broker and root is found."""
    return place.place(config.mqtt.host, config.mqtt.port, config.mqtt.topic_root)


def described(config: Config) -> str:
    """The broker and root in words."""
    return f"the broker {config.mqtt.host}:{config.mqtt.port} under {config.mqtt.topic_root}"


def refuse_late(options: argparse.Namespace) -> None:
    """Raises UserError where an option is given that the running service cannot follow any more."""
    late = [f"--{name}" for name in OF_THE_SERVICE if getattr(options, name) is not None]
    if late:
        raise UserError(
            f"a service for this broker and root runs already, and {' '.join(late)} cannot change it: leave "
            f"{'it' if len(late) == 1 else 'them'} out to see that service, or start another with --force"
        )


def service_arguments(options: argparse.Namespace) -> list[str]:
    """The command line of a service that is started for a screen."""
    flags = [f"--{name}" for name in ("demo", "force") if getattr(options, name)]
    return [*given(options, OF_BOTH + OF_THE_SERVICE), *flags]


def given(options: argparse.Namespace, names: tuple[str, ...]) -> list[str]:
    """Those of the options that were given, as on a command line."""
    made = []
    for name in names:
        value = getattr(options, name)
        if value is not None:
            made += [f"--{name}", str(value)]
    return made
