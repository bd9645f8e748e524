"""`producer scenarios`: list, show and check what a simulated patient may go through."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from ecg import programs
from ecg.rhythms import scenario
from ecg.rhythms.scenario import Scenario, Step
from ecg.rhythms.simulation.artefacts import KINDS
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS


def parser() -> argparse.ArgumentParser:
    """Every option of this command."""
    made = argparse.ArgumentParser(
        prog=f"{programs.shown('producer')} scenarios", description="Scenarios of simulated patients."
    )
    todo = made.add_subparsers(dest="todo", required=True, metavar="list|rhythms|show|check")
    todo.add_parser("list", help="the scenarios of the package")
    todo.add_parser("rhythms", help="rhythms, extra beats and artefacts that a step or a command may name")
    for name, said in (("show", "the steps of a scenario"), ("check", "is a scenario's file right?")):
        one = todo.add_parser(name, help=said)
        one.add_argument("scenario", help="a name of the list, or a .toml file")
    return made


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status. Raises UserError where a scenario is not right."""
    options = parser().parse_args(arguments)
    console = Console(highlight=False)
    if options.todo == "list":
        console.print(listed())
    elif options.todo == "rhythms":
        console.print(named())
    else:
        told = scenario.load(options.scenario)
        if options.todo == "check":
            length = "without an end" if told.seconds is None else f"{told.seconds:g} s, then {told.then}"
            console.print(f"{options.scenario} is right: {told.title}, {len(told.step)} steps, {length}")
        else:
            console.print(f"{told.title}. {told.about}\nLeads {', '.join(told.leads)} at {told.rate_hz:g} Hz.")
            console.print(steps(told))
    return 0


def listed() -> Table:
    """All scenarios of the package."""
    table = Table("name", "title", "what happens")
    for name in scenario.names():
        told = scenario.load(name)
        table.add_row(name, told.title, told.about)
    return table


def named() -> Table:
    """All that a step or a command may name."""
    table = Table("field", "value", "meaning", "label or rate")
    for name, rhythm in RHYTHMS.items():
        table.add_row("rhythm", name, rhythm.title, f"{rhythm.label} {rhythm.low:g} to {rhythm.high:g}/min")
    for name, ectopy in ECTOPY.items():
        table.add_row("ectopy", name, ectopy.title, ectopy.label)
    for name, title in KINDS.items():
        table.add_row("artefacts", name, title, "strength above 0, up to 5")
    return table


def steps(told: Scenario) -> Table:
    """The steps of a scenario, with the time at which each begins."""
    table = Table("from", "for", "what")
    begin = 0.0
    for step in told.step:
        table.add_row(f"{begin:g} s", "" if step.seconds is None else f"{float(step.seconds):g} s", _said(step))
        begin += float(step.seconds or 0)
    return table


def _said(step: Step) -> str:
    values = {name: getattr(step, name) for name in step.__struct_fields__ if name != "seconds"}
    return ", ".join(
        f"{name} {value}"
        for name, value in values.items()
        if value not in (None, 0.0) or (name == "st" and value is not None)
    )
