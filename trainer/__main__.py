"""`python -m trainer COMMAND`: data, fitting, evaluation, figures."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from ecg import programs
from ecg.errors import needs

COMMANDS = {
    "prepare": "cut the beats of all records once, into one cached file",
    "detector": "score the R-peak detector against the annotations",
    "fit": "fit a recipe",
    "evaluate": "score weights on records of patients never seen",
    "crossval": "score a recipe on DS1 by records held out whole",
    "ablation": "fit and score the network with parts switched off",
    "report": "figures and one page that holds them all",
    "lesson": "an idea of the lecture as numbers, figures and a page",
}


def main(argv: list[str] | None = None) -> int:
    """The whole program, its errors and all; the exit status."""
    return programs.run(lambda: command(argv))


def command(argv: list[str] | None) -> int:
    """Run one command; the exit status."""
    given = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog=programs.shown("trainer"),
        description="Prepare data, fit and score the networks, draw figures. " + programs.NOT_CLINICAL,
    )
    programs.add_version(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        one = commands.add_parser(name, help=text, description=text)
        if given[:1] == [name]:
            with needs("train", f"{programs.shown('trainer')} {name}"):
                module = import_module(f"{__package__}.commands.{name}")
            module.arguments(one)
            one.set_defaults(run=module.run)
    chosen = parser.parse_args(given)
    return int(chosen.run(chosen) or 0)


if __name__ == "__main__":
    sys.exit(main())
