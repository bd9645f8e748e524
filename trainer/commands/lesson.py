"""`python -m trainer lesson NAME`: an idea of the lecture as numbers, figures and a page."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from ecg.errors import UserError
from ecg.records import library
from ecg.records.record import Record
from trainer.data.preparing import fetch
from trainer.lessons import LESSONS
from trainer.lessons.frame import drawing, index, page
from trainer.lessons.frame.lesson import LANGUAGES, Language, lesson
from trainer.progress import bars
from trainer.recipes import override

OUT: Final = Path("runs/lessons")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", metavar="NAME", help=f"list, all, or a lesson: {', '.join(LESSONS)}")
    parser.add_argument("--lang", choices=[*LANGUAGES, "both"], help="language (default: en; of `all`: both)")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--records", help="annotated records in place of simulated hearts, such as 100,208 or ds1, where a lesson can"
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder (default: {OUT})")


def run(chosen: argparse.Namespace) -> int:
    """Run one lesson or all of them and write their pages."""
    console = Console()
    if chosen.name == "list":
        console.print(listed())
        return 0
    every = chosen.name == "all"
    if every and chosen.overrides:
        raise UserError("--set belongs to one lesson: give its name in place of all")
    names = LESSONS if every else (lesson(chosen.name).name,)
    languages = languages_of(chosen.lang, every)
    records = _records(chosen.records, console)
    if "ja" in languages and drawing.japanese_font() is None:
        console.print(drawing.NO_FONT, soft_wrap=True, markup=False)
    written = []
    for name in names:
        done = _go(name, chosen.overrides, records, console)
        for language in languages:
            target, text = page.write(done, language, chosen.out)
            if not every:
                console.print(Markdown(page.plain(text)))
        console.print(f"{name}: {done.seconds:.1f} s, {target}", soft_wrap=True, highlight=False)
        written.append(done)
    if every:
        for language in languages:
            index.write(written, language, chosen.out)
    return 0


def languages_of(wanted: str | None, every: bool) -> tuple[Language, ...]:
    """The languages meant by --lang: by default English for one lesson, both for all."""
    if wanted == "both" or (wanted is None and every):
        return LANGUAGES
    return ("ja",) if wanted == "ja" else ("en",)


def listed() -> Table:
    """The lessons by name and title."""
    table = Table("lesson", "about", "", "--records")
    for name in LESSONS:
        one = lesson(name)
        table.add_row(name, one.title.en, one.title.ja, "yes" if one.records else "")
    return table


def _records(wanted: str | None, console: Console) -> tuple[Record, ...]:
    """The records of --records, downloaded where they are missing. Raises UserError for one without annotations."""
    if wanted is None:
        return ()
    names = library.find(wanted)
    fetch(names, console)
    records = tuple(library.read(name) for name in names)
    bare = [one.name for one in records if one.annotations is None]
    if bare:
        raise UserError(f"--records: {', '.join(bare)} has no annotations to learn from; leave it out")
    return records


def _go(name: str, overrides: list[str], records: Sequence[Record], console: Console) -> page.Done:
    """Run one lesson, with a bar."""
    one = lesson(name)
    settings = override(one.settings, overrides)
    used = records if one.records else ()
    if records and not used:
        console.print(f"{name} needs no records: --records changes nothing here", soft_wrap=True)
    one.check(used)
    begin = time.perf_counter()
    with bars(console) as shown:
        task = shown.add_task(name, total=1.0)
        outcome = one.run(settings, used, lambda done: shown.update(task, completed=done))
    seconds = time.perf_counter() - begin
    return page.Done(
        lesson=one, settings=settings, outcome=outcome, seconds=seconds, records=tuple(r.name for r in used)
    )
