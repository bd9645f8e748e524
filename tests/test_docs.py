"""The pages say what is there: links, commands, settings, messages and folders are looked up in the code."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ecg import settings
from ecg.wire import messages

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README_LINES = 120
PROGRAMS = ("monitor", "producer", "trainer")
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^(?: {4}).*\n?)+", re.MULTILINE)
LINK = re.compile(r"!?\[(?:[^\]]|\]\()*?\]\(([^)\s]+)\)")
COMMAND = re.compile(
    rf"(?:python -m ({'|'.join(PROGRAMS)})|(?<![\w.-])ecg-({'|'.join(PROGRAMS)}))(?![\w./-])([^`|<>#;&\"\n]*)"
)
SETTING = re.compile(r"`(\w+)(?: = [^`]*)?` (?:of|in) `\[(\w+)\]`|`\[(\w+)\] (\w+)")
VARIABLE = re.compile(r"\bECG_([A-Z]+)__([A-Z_]+)")
SNAKE = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")
PLACE = re.compile(r"`(?!ecg/v1)((?:ecg|producer|monitor|trainer|tests|docs)/[\w./-]*)`")


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """A page without its code blocks."""
    return INDENTED.sub("", FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What a link into a page may name, as GitHub makes it of headings, and what the page names itself."""
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def keys() -> dict[str, set[str]]:
    """The settings: keys by table."""
    tree: dict[str, Any] = msgspec.to_builtins(settings.Config())
    return {table: set(values) for table, values in tree.items()}


def structs() -> dict[str, type[msgspec.Struct]]:
    """Every struct that goes over the wire, by name."""
    return {
        name: kind
        for name, kind in vars(messages).items()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct
    }


def test_the_readme_is_read_in_three_minutes() -> None:
    assert len(page("README.md").splitlines()) <= README_LINES


def test_the_readme_says_first_what_this_is_not_for() -> None:
    top = page("README.md").splitlines()[:12]
    assert any(
        "research and education" in line.lower() and "never for the care of a patient" in line.lower() for line in top
    )


def test_the_readme_holds_no_wide_table() -> None:
    wide = [line for line in page("README.md").splitlines() if line.startswith("|") and line.count("|") > 6]
    assert not wide


@pytest.mark.parametrize("name", names(PAGES))
def test_every_link_leads_somewhere(name: str) -> None:
    here = ROOT / name
    dead = []
    for target in LINK.findall(FENCE.sub("", page(name))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = here if not path else here.parent / path
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            dead.append(target)
    assert not dead


class Parsed(Exception):  # noqa: N818 - not an error: the command line was understood
    """Raised in place of running a program whose arguments have been parsed."""


def understood(program: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Does the program's own parser take these arguments? Nothing is run."""
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self: argparse.ArgumentParser, *given: Any, **more: Any) -> argparse.Namespace:
        parse(self, *given, **more)
        raise Parsed

    main = importlib.import_module("trainer.__main__" if program == "trainer" else f"{program}.cli").main
    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
        try:
            main(arguments)
        except Parsed:
            return True
        except SystemExit:
            return False
    raise AssertionError(f"{program} {arguments} ran without parsing its arguments")


def commands() -> list[tuple[str, str, str]]:
    """(page, program, arguments) of every command on the pages; a command whose arguments are left open is none."""
    found = []
    for name in names(PAGES):
        for one, other, rest in COMMAND.findall(page(name)):
            words = shlex.split(rest.strip().rstrip(".,:)"))
            if words and not any(word in ("...", "COMMAND") for word in words):
                found.append((name, one or other, shlex.join(words)))
    return list(dict.fromkeys(found))


def test_there_are_commands_on_the_pages() -> None:
    assert {program for _, program, _ in commands()} == set(PROGRAMS)


@pytest.mark.parametrize(("name", "program", "arguments"), commands())
def test_every_command_is_one_that_its_program_understands(
    name: str, program: str, arguments: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert understood(program, shlex.split(arguments), monkeypatch), f"{name}: {program} {arguments}"


def test_a_command_that_no_program_understands_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not understood("monitor", ["--no-such-option"], monkeypatch)
    assert not understood("trainer", ["fit", "--recipe", "no-such-recipe"], monkeypatch)


def test_every_make_target_on_the_pages_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", page("Makefile"), re.MULTILINE))
    wanted = {
        target for name in names(PAGES) for target in re.findall(r"(?:^    |`)make (\w+)", page(name), re.MULTILINE)
    }
    assert wanted
    assert wanted <= targets


def test_the_console_scripts_on_the_pages_are_installed() -> None:
    scripts = tomllib.loads(page("pyproject.toml"))["project"].get("scripts", {})
    wanted = {f"ecg-{program}" for program in PROGRAMS}
    assert wanted <= set(scripts)


def test_every_extra_on_the_pages_can_be_installed() -> None:
    there = set(tomllib.loads(page("pyproject.toml"))["project"]["optional-dependencies"])
    named = {extra for name in names(PAGES) for extra in re.findall(r"pip install \"\.\[(\w+)\]\"", page(name))}
    listed = set(
        re.findall(
            r"^\| `(\w+)` \|", page("docs/deploy.md").partition("| extra |")[2].partition("\n\n")[0], re.MULTILINE
        )
    )
    assert named
    assert named | listed <= there


@pytest.mark.parametrize("name", names(PAGES))
def test_every_setting_that_a_page_names_exists(name: str) -> None:
    known = keys()
    text = page(name)
    named = [(table or other, key or its) for key, table, other, its in SETTING.findall(text)]
    named += [(table.lower(), key.lower()) for table, key in VARIABLE.findall(text)]
    unknown = [(table, key) for table, key in named if key not in known.get(table, set())]
    assert not unknown


@pytest.mark.parametrize("name", ["README.md", "docs/alarms.md", "docs/architecture.md", "docs/deploy.md"])
def test_every_name_in_code_on_these_pages_is_a_setting_a_file_or_a_metric(name: str) -> None:
    known = {key for table in keys().values() for key in table}
    unknown = {word for word in SNAKE.findall(page(name)) if word not in known and not word.startswith("ecg_monitor_")}
    assert not unknown


def test_the_metrics_on_the_deployment_page_are_those_of_the_service() -> None:
    source = (ROOT / "monitor/service/metrics.py").read_text(encoding="utf-8")
    there = set(re.findall(r'"(ecg_monitor_\w+)"', source))
    named = {
        word.removesuffix("_total")
        for word in re.findall(r"^\| `(ecg_monitor_\w+)`", page("docs/deploy.md"), re.MULTILINE)
    }
    assert named == there


@pytest.mark.parametrize("kind", structs())
def test_the_wire_page_lists_every_field_of_every_message(kind: str) -> None:
    section = re.search(rf"^##+ {kind}\n(.*?)(?=^##|\Z)", page("docs/wire.md"), re.MULTILINE | re.DOTALL)
    assert section
    listed = re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE)
    assert listed == [field.encode_name for field in msgspec.structs.fields(structs()[kind])]


def test_the_bounds_on_the_wire_page_are_those_of_the_messages() -> None:
    listed = re.findall(r"^\| [^|]+ \| ([\d,]+) \| `([A-Z_]+)` \|$", page("docs/wire.md"), re.MULTILINE)
    assert listed
    assert {name: int(value.replace(",", "")) for value, name in listed} == {
        name: getattr(messages, name, None) for _, name in listed
    }


@pytest.mark.parametrize("name", names(PAGES))
def test_every_file_and_folder_that_a_page_names_exists(name: str) -> None:
    gone = [place for place in PLACE.findall(prose(page(name))) if not (ROOT / place).exists()]
    assert not gone


def test_the_examples_on_the_wire_page_are_messages() -> None:
    examples = [line.strip().encode() for line in page("docs/wire.md").splitlines() if line.startswith('    {"v":')]
    kinds: list[type[messages.Alarms | messages.Beat | messages.BedState]] = [
        messages.Alarms if b'"active"' in one else messages.BedState if b'"leads"' in one else messages.Beat
        for one in examples
    ]
    assert set(kinds) == {messages.Alarms, messages.Beat, messages.BedState}
    for example, kind in zip(examples, kinds, strict=True):
        assert messages.encode_json(messages.decode_json(example, kind)) == example
