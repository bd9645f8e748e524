"""The index page of all lessons that were run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecg.files import write_atomic
from trainer.lessons.frame.lesson import Language
from trainer.lessons.frame.page import Done, template


def write(done: Sequence[Done], language: Language, folder: Path) -> Path:
    """Write the index of these lessons; the page. Raises UserError if it cannot be written."""
    tail = "" if language == "en" else f".{language}"
    rows = [
        f"| [{one.lesson.name}]({one.lesson.name}{tail}.md) | {one.lesson.title.of(language)} | "
        f"{sum(one.outcome.claims.values())} / {len(one.outcome.claims)} | {'✓' if one.lesson.records else ''} |"
        for one in done
    ]
    target = folder / f"README{tail}.md"
    write_atomic({target: (template("index", language) + "\n".join(rows) + "\n").encode()})
    return target
