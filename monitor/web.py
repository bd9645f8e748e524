"""The screen in a browser, through textual-serve: loopback only, unless the command line says otherwise."""

from __future__ import annotations

import argparse
import shlex
import sys

from ecg.errors import UserError


def serve(arguments: list[str]) -> int:
    """Serve `python -m monitor ARGUMENTS` to browsers. Raises UserError where textual-serve is not installed."""
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--web-host", default="127.0.0.1")
    chosen.add_argument("--web-port", type=int, default=8000)
    options, rest = chosen.parse_known_args(arguments)
    try:
        from textual_serve.server import Server
    except ImportError:
        raise UserError('the screen in a browser needs textual-serve: pip install -e ".[web]"') from None
    command = shlex.join([sys.executable, "-m", "monitor", *rest])
    print(
        f"the monitor is at http://{options.web_host}:{options.web_port} - research and education only", file=sys.stderr
    )
    Server(command, host=options.web_host, port=options.web_port, title="ECG monitor").serve()
    return 0
