"""compose.yaml, Dockerfile and CITATION.cff as far as they can be checked without Docker."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from ecg import settings

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


def test_every_service_waits_for_one_that_is_there() -> None:
    assert OURS == ["producer", "monitor"]
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", [])) <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", OURS)
def test_a_services_command_and_variables_are_understood(name: str) -> None:
    service = COMPOSE["services"][name]
    config = settings.load(ROOT / "config.toml", service["environment"])
    assert (config.mqtt.host, config.mqtt.embedded) == ("broker", False)
    program, *words = service["command"]
    cli = importlib.import_module(f"{program.removeprefix('ecg-')}.cli")
    parser = cli.serve_parser() if words[0] == "serve" else cli.parser()
    parser.parse_args(words[1:] if words[0] == "serve" else words)


def test_the_image_gets_everything_a_wheel_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in sent)
    packages = {found.parent.name for found in ROOT.glob("*/__init__.py")}
    assert sent >= packages | {"setup.py", "pyproject.toml", "README.md", "LICENSE"}
    used = re.findall(r"/src/([\w.]+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert set(used) <= sent


def test_the_citation_names_the_licence_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert f'license = "{citation["license"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
