"""The screen in a browser, through textual-serve: loopback only, unless the command line says otherwise."""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import ExitStack

from ecg import programs
from ecg.errors import UserError, needs
from ecg.settings import Config

PASSED_ON = ("broker", "root", "weights", "device", "config")
"""Options that each browser's monitor gets too."""


def serve(config: Config, options: argparse.Namespace, demonstration: list[str]) -> int:
    """Serve the screen to browsers; each window is a monitor of its own on the same beds.

    demonstration: the producer's command line where one is wanted, started once for all of them.
    Raises UserError where textual-serve is not installed or the address cannot be used.
    """
    with needs("web", "the screen in a browser"):
        from textual_serve.server import Server
    command = programs.command("monitor")
    for name in PASSED_ON:
        value = getattr(options, name)
        if value is not None:
            command += [f"--{name}", str(value)]
    if options.truth_view:
        command.append("--truth-view")
    with ExitStack() as stack:
        if options.demo:
            from monitor import demo

            stack.enter_context(demo.producer(config, demonstration)).begin()
        where = f"http://{options.web_host}:{options.web_port}"
        print(f"the monitor is at {where} - research and education only", file=sys.stderr)
        try:
            Server(shlex.join(command), host=options.web_host, port=options.web_port, title="ECG monitor").serve()
        except OSError as error:
            raise UserError(
                f"{where} cannot be served: {error.strerror or error}; choose another with --web-port"
            ) from None
    return 0
