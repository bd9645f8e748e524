"""What the programs' command lines share."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ecg import __version__, programs
from ecg.errors import UserError, needs

ROOT = Path(__file__).parents[2]
NAMES = ("monitor", "producer", "trainer")


@pytest.mark.parametrize("text", ["0.5", "1", "2e0", " 1 "])
def test_a_number_in_its_range_is_taken(text: str) -> None:
    assert programs.number("--seconds", 0.5, 2)(text) == float(text)


@pytest.mark.parametrize("text", ["0.49", "2.01", "nan", "inf", "-inf", "1e300", "", "soon"])
def test_any_other_number_is_refused_with_its_range(text: str) -> None:
    with pytest.raises(UserError, match=rf"--seconds {re.escape(text)} cannot be used: give a number from 0.5 to 2"):
        programs.number("--seconds", 0.5, 2)(text)


@pytest.mark.parametrize("text", ["0", "9", "1.5", "nan", "", "1e3", "9" * 5000])
def test_a_whole_number_out_of_its_range_is_refused_with_its_range(text: str) -> None:
    with pytest.raises(UserError, match=r"--beds .*cannot be used: give a whole number from 1 to 8"):
        programs.whole("--beds", 1, 8)(text)


def test_no_option_takes_any_number_there_is() -> None:
    sources = [file for name in NAMES for file in (ROOT / name).rglob("*.py")]
    bare = [file for file in sources if re.search(r"type=(float|int)\b", file.read_text(encoding="utf-8"))]
    assert bare == []


@pytest.mark.parametrize("program", NAMES)
def test_every_program_tells_its_version(program: str) -> None:
    done = subprocess.run([*programs.command(program), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ecg-monitor-simulator {__version__}\n"


def test_a_program_ends_with_its_status_with_2_after_a_mistake_and_130_when_interrupted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def wrong() -> int:
        raise UserError("one sentence")

    def interrupted() -> int:
        raise KeyboardInterrupt

    assert [programs.run(main) for main in (lambda: 7, wrong, interrupted)] == [7, 2, 130]
    assert capsys.readouterr().err == "one sentence\n"


def test_a_module_of_our_own_that_is_missing_stays_loud() -> None:
    with pytest.raises(ModuleNotFoundError), needs("train", "this"):
        import ecg.nowhere  # type: ignore[import-not-found]  # noqa: F401


def test_a_command_is_shown_as_it_can_be_typed_in_the_folder_of_the_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert programs.typed("trainer") == str(Path(".venv") / "bin" / "python") + " -m trainer"
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert programs.typed("trainer") == programs.shown("trainer") == "python -m trainer"


@pytest.mark.parametrize("name", ["monitor", "producer"])
def test_an_interrupt_while_a_program_loads_is_no_error(name: str) -> None:
    """Its modules take a second to load; ^C then ends it as it does later."""
    code = (
        "import sys, importlib.abc\n"
        "class Interrupted(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == '{name}.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        f"from {name}.__main__ import main\n"
        "sys.exit(main())"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (130, b"")
