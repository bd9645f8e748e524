"""Building a wheel: imports of the four packages are renamed, and nothing else."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [file for part in ("ecg", "monitor", "producer", "trainer") for file in (ROOT / part).rglob("*.py")]

_spec = importlib.util.spec_from_file_location("project_setup", ROOT / "setup.py")
assert _spec and _spec.loader
setup = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(setup)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from ecg.wire import broker", "from ecg_monitor_simulator.ecg.wire import broker"),
        ("from monitor import cli", "from ecg_monitor_simulator.monitor import cli"),
        ("import trainer", "import ecg_monitor_simulator.trainer as trainer"),
        ("import trainer.recipes as r", "import ecg_monitor_simulator.trainer.recipes as r"),
        ("def f():\n    from ecg import (\n        a,\n    )", None),
        ("é = 1; from ecg import a", "é = 1; from ecg_monitor_simulator.ecg import a"),
        ("from ecgtools import a", "from ecgtools import a"),
        ("from . import ecg", "from . import ecg"),
        ("import ecg_other, sys", "import ecg_other, sys"),
        ('"""from ecg import a"""', '"""from ecg import a"""'),
        ("# from ecg import a", "# from ecg import a"),
    ],
)
def test_imports_are_renamed_and_lines_stay(before: str, after: str | None) -> None:
    moved = setup.moved(before, "x.py")
    assert moved == (after or before.replace("from ecg ", "from ecg_monitor_simulator.ecg "))
    assert moved.count("\n") == before.count("\n")


@pytest.mark.parametrize("source", ["import ecg.wire", "import ecg, sys", "from  ecg import a"])
def test_an_import_that_cannot_be_renamed_stops_the_build(source: str) -> None:
    with pytest.raises(ValueError, match=r"x\.py, line 1"):
        setup.moved(source, "x.py")


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_module_is_named_in_a_string_where_renaming_would_miss_it(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    logs = [
        node.args for node in ast.walk(tree) if isinstance(node, ast.Call) and "getLogger" in ast.unparse(node.func)
    ]
    names = {id(name) for arguments in logs for name in arguments}  # a log may be called as it likes
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in names]
    texts = [node.value for node in constants if isinstance(node.value, str)]
    dotted = [text.rstrip(".") for text in texts if re.fullmatch(r"(ecg|monitor|producer|trainer)\.[a-z0-9_.]*", text)]
    places = [(text, ROOT / text.replace(".", "/")) for text in dotted]
    assert [text for text, place in places if place.is_dir() or place.with_suffix(".py").exists()] == []
