"""The page of a lesson: Markdown, one self-contained HTML file, figures, and the numbers as JSON.

A template (pages/NAME.LANGUAGE.md) names numbers and settings as {placeholders}, figures as figure:1, and begins each
claim's line with [name of the claim], in whose place the page says whether it shows in the numbers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec
from markdown_it import MarkdownIt

from ecg import programs
from ecg.files import write_atomic
from trainer import lessons
from trainer.lessons.frame import drawing
from trainer.lessons.frame.lesson import Language, Lesson, Outcome, Text

CLAIM: Final = re.compile(r"^- \[(\w+)\]", re.MULTILINE)
FIGURE: Final = re.compile(r"\(figure:(\d+)\)")
IMAGE: Final = re.compile(r"^!\[.*\]\(.*\)\n*", re.MULTILINE)
BREAK: Final = re.compile("(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])")
"""A line's end within Japanese text, where a browser would put a space."""
SHOWN: Final = Text("**Shown.**", "**確認できました。**")
NOT_SHOWN: Final = Text("**Not shown by these numbers.**", "**この数値では確認できません。**")
ON_RECORDS: Final = Text(
    "*Run with records {records}: where this page says simulated hearts or the excerpt, read these.*",
    "*レコード{records}で実行しました。このページの「シミュレーションの心臓」や「抜粋」は、これらのレコードと読み替えてください。*",
)
FOOT: Final = Text(
    "Made by `{program} lesson {name}`. Research and education only. Never for the care of a patient.",
    "`{program} lesson {name} --lang ja` で作成。研究・教育専用で、診療には使用できません。",
)
STYLE: Final = (
    "body{max-width:46em;margin:2em auto;padding:0 1em;font:16px/1.65 system-ui,sans-serif;"
    "color:#222}img{max-width:100%}code,pre{background:#f3f3f3;padding:.1em .3em}pre{padding:.7em;overflow:auto}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25em .7em}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A lesson that has been run. seconds: the time it took, on the wall."""

    lesson: Lesson[Any]
    settings: msgspec.Struct
    outcome: Outcome
    seconds: float
    records: tuple[str, ...] = ()


def template(name: str, language: Language) -> str:
    """The page of a lesson before its numbers are filled in, its commands as a person types them here."""
    raw = files(lessons).joinpath("pages", f"{name}.{language}.md").read_text(encoding="utf-8")
    for program in ("trainer", "monitor"):
        raw = raw.replace(f"python -m {program}", programs.shown(program))
    return BREAK.sub("", raw)


def markdown(done: Done, language: Language, figures: Mapping[int, str]) -> str:
    """The page with its numbers. figures: path of each figure by its number, from 1."""
    raw = template(done.lesson.name, language)
    values = {**msgspec.to_builtins(done.settings), **done.outcome.numbers}
    claims = done.outcome.claims
    text = CLAIM.sub(lambda found: f"- {(SHOWN if claims[found[1]] else NOT_SHOWN).of(language)}", raw)
    text = FIGURE.sub(lambda found: f"({figures[int(found[1])]})", text.format(**values))
    head = f"# {done.lesson.title.of(language)}\n\n"
    if done.records:
        head += ON_RECORDS.of(language).format(records=", ".join(done.records)) + "\n\n"
    foot = FOOT.of(language).format(name=done.lesson.name, program=programs.shown("trainer"))
    return f"{head}{text.strip()}\n\n---\n\n{foot}\n"


def html(page: str, title: str, language: Language, figures: Mapping[str, bytes]) -> str:
    """A Markdown page as one HTML file that needs no other. figures: PNG files by their path on the page."""
    body = str(MarkdownIt("commonmark").enable("table").render(page))
    for path, content in figures.items():
        body = body.replace(f'src="{path}"', f'src="data:image/png;base64,{base64.b64encode(content).decode()}"')
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n{body}</body>\n</html>\n"
    )


def plain(page: str) -> str:
    """A page without its figures, for a terminal."""
    return IMAGE.sub("", page)


def tree(done: Done) -> dict[str, Any]:
    """The numbers of a lesson as JSON has them."""
    return {
        "lesson": done.lesson.name,
        "settings": msgspec.to_builtins(done.settings),
        "records": list(done.records),
        "numbers": done.outcome.numbers,
        "claims": done.outcome.claims,
        "seconds": round(done.seconds, 1),
    }


def write(done: Done, language: Language, folder: Path) -> tuple[Path, str]:
    """Write page, HTML, figures and numbers of one language; the HTML file, and the Markdown page.

    Raises UserError if they cannot be written.
    """
    name = done.lesson.name
    tail = "" if language == "en" else f".{language}"
    drawn = drawing.draw(done.outcome.draw, language)
    paths = {number: f"figures/{name}-{number}{tail}.png" for number in range(1, len(drawn) + 1)}
    page = markdown(done, language, paths)
    pictures = {paths[number]: content for number, content in enumerate(drawn, 1)}
    target = folder / f"{name}{tail}.html"
    numbers = msgspec.json.format(msgspec.json.encode(tree(done)), indent=2) + b"\n"
    write_atomic(
        {folder / path: content for path, content in pictures.items()}
        | {
            folder / f"{name}{tail}.md": page.encode(),
            target: html(page, done.lesson.title.of(language), language, pictures).encode(),
            folder / f"{name}.json": numbers,
        }
    )
    return target, page
