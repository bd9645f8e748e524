"""The wheel, installed where no checkout is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from ecg import __version__
from tests.support.brokers import free_port

ROOT = Path(__file__).parents[2]
PARTS = ("ecg", "monitor", "producer", "trainer", "ecg_monitor_simulator")
FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
API = """
import numpy as np
from ecg_monitor_simulator.ecg.records import library
from ecg_monitor_simulator.ecg.signal.path import SignalPath
from ecg_monitor_simulator.ecg.model import weights

record = library.read("excerpt")
path, slot = SignalPath(1), np.zeros(1, np.int64)
path.reset(slot, np.array([record.rate]), slot)
print(len(path.step(slot, [record.millivolts(0)]).index), weights.load("memory-gru")[1].name)
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from nothing but what is needed for it."""
    pytest.importorskip("setuptools", "77")
    tree = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(ROOT / file, tree)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tree)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(tree)], check=True)
    (made,) = tree.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, and the packages it depends on lent from this one; its bin folder."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    options = ["--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    python = home / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)], check=True)
    (place,) = (home / "lib").glob("python*/site-packages")
    (place / "lent.pth").write_text(
        sysconfig.get_path("purelib")
    )  # .pth files in there, so editable checkouts, are not followed
    return home / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A working folder that holds modules of somebody else's under our names."""
    for part in PARTS[:4]:
        (tmp_path / f"{part}.py").write_text("raise SystemExit('somebody else was imported')\n")
    return tmp_path


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """A command in a folder, with nothing of the checkout in its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ECG_"))}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_wheel_holds_one_package_and_everything_in_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "ecg_monitor_simulator",
        f"ecg_monitor_simulator-{__version__}.dist-info",
    }
    for part in PARTS[:4]:
        assert f"ecg_monitor_simulator/{part}/py.typed" in names
    wanted = {
        f"ecg_monitor_simulator/{file.relative_to(ROOT)}"
        for part in PARTS[:4]
        for file in (ROOT / part).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert wanted <= set(names)


def test_the_demonstration_prints_beats(installed: Path, elsewhere: Path) -> None:
    command = f"{installed}/ecg-monitor --demo --headless --speed 30 --broker 127.0.0.1:{free_port()} | head -3"
    done = run(["bash", "-c", command], elsewhere)
    assert done.stderr == ""
    beats = [json.loads(line) for line in done.stdout.splitlines()]
    assert [beat["bed"] for beat in beats] == ["208-excerpt"] * 3
    assert all(beat["class"] in beat["probabilities"] for beat in beats)


@pytest.mark.parametrize("program", ["monitor", "producer", "trainer"])
def test_each_program_is_a_command_and_a_module(installed: Path, elsewhere: Path, program: str) -> None:
    said = f"ecg-monitor-simulator {__version__}\n"
    assert run([installed / f"ecg-{program}", "--version"], elsewhere).stdout == said
    module: list[str | Path] = [installed / "python", "-P", "-m", f"ecg_monitor_simulator.{program}"]
    assert run([*module, "--version"], elsewhere).stdout == said
    assert run([*module, "--help"], elsewhere).stdout.startswith(f"usage: ecg-{program} ")


def test_a_mistake_is_one_sentence_with_the_commands_own_name(installed: Path, elsewhere: Path) -> None:
    done = run([installed / "ecg-producer", "--records", "nobody"], elsewhere)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no record 'nobody' is known" in done.stderr


def test_the_python_interface_has_a_name(installed: Path, elsewhere: Path) -> None:
    done = run([installed / "python", "-P", "-c", API], elsewhere)
    assert done.stderr == ""
    beats, weights = done.stdout.split()
    assert (int(beats) > 400, weights) == (True, "memory-gru")


def test_the_four_common_names_are_left_to_others(installed: Path, tmp_path: Path) -> None:
    found = (
        "import importlib.util as u; print([n for n in ('ecg', 'monitor', 'producer', 'trainer') if u.find_spec(n)])"
    )
    assert run([installed / "python", "-c", found], tmp_path).stdout == "[]\n"
