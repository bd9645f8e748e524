"""`python -m trainer COMMAND`: data, fitting, evaluation, figures."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from ecg.errors import UserError

COMMANDS = {
    "prepare": "cut the beats of all records once, into one cached file",
    "detector": "score the R-peak detector against the annotations",
    "fit": "fit a recipe",
    "evaluate": "score weights on records of patients never seen",
    "crossval": "score a recipe on DS1 by records held out whole",
    "ablation": "fit and score the network with parts switched off",
    "report": "figures and one page that holds them all",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    given = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if given[:1] == [name]:
            module = import_module(f"trainer.commands.{name}")
            module.arguments(command)
            command.set_defaults(run=module.run)
    chosen = parser.parse_args(given)
    try:
        return int(chosen.run(chosen) or 0)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
