"""What a program does not need it does not import: each is started in a process of its own and asked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.brokers import Mosquitto

TRAINING = {"pandas", "sklearn", "matplotlib"}
RECORDS = {"wfdb", "requests", "edfio", "pyarrow", "pyxdf"}
ASK = "import json, sys; json.dump(sorted(sys.modules), sys.stderr)"


def loaded(program: str) -> set[str]:
    """Modules that are there at the end of a program."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{ASK}"], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    ("imports", "absent"),
    [
        ("import ecg.settings, ecg.programs", {"numpy", "torch", "rich", *TRAINING, *RECORDS}),
        ("import ecg.records.library", {"torch", "scipy", "sleepecg", *TRAINING, *RECORDS}),
        ("import monitor.ward.intake", {"torch", "sleepecg", *TRAINING, *RECORDS}),
        ("import monitor.cli", {"torch", "textual", "aiomqtt", *TRAINING, *RECORDS}),
        ("import monitor.screen.app", {"torch", "scipy", "aiomqtt", *TRAINING, *RECORDS}),
        (
            "import monitor.service.loop",
            {"torch", "numba", "scipy", "textual", "amqtt", "sleepecg", *TRAINING, *RECORDS},
        ),
        ("import producer.cli", {"torch", "scipy", "textual", "amqtt", *TRAINING, *RECORDS}),
        ("import trainer.__main__", {"torch", "numpy", *TRAINING, *RECORDS}),
    ],
)
def test_a_module_brings_nothing_heavy_that_it_does_not_need(imports: str, absent: set[str]) -> None:
    assert loaded(imports) & absent == set()


@pytest.mark.parametrize(("kernels", "alone"), [("off", "torch"), ("on", "numba")])
def test_a_monitor_that_has_run_never_loaded_what_is_for_training_or_records(
    kernels: str, alone: str, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """With compiled kernels the network needs no torch; without them nobody needs Numba, which imports SciPy."""
    if kernels == "on":
        request.getfixturevalue("kernels_built")
    monkeypatch.setenv("ECG_KERNELS", kernels)
    where = ["--broker", f"127.0.0.1:{mosquitto.port}"]
    seen = loaded(
        f"from monitor import cli\ncli.main(['--demo', '--headless', '--until-idle', '1', '--speed', 'max', *{where}])"
    )
    assert seen & {"textual", "amqtt", "sleepecg", *TRAINING, *RECORDS} == set()
    assert seen & {"torch", "numba"} == {alone} and ("scipy" in seen) <= (alone == "numba")
    assert {"aiomqtt", "monitor.ward.ward"} <= seen


def test_a_producer_that_has_sent_the_excerpt_never_loaded_the_network(mosquitto: Mosquitto) -> None:
    arguments = ["--speed", "max", "--broker", f"127.0.0.1:{mosquitto.port}"]
    seen = loaded(f"from producer import cli\ncli.main({arguments})")
    assert seen & {"torch", "textual", "amqtt", "wfdb", "scipy", "numba", "sleepecg", *TRAINING} == set()
    assert {"ecg.records.library", "aiomqtt"} <= seen


@pytest.mark.parametrize(
    ("package", "work", "sentence"),
    [
        (
            "wfdb",
            "from pathlib import Path; from ecg.records import wfdb; wfdb.read(Path('x'))",
            "reading and writing WFDB records needs wfdb: pip install 'ecg-monitor-simulator[records]'",
        ),
        (
            "requests",
            "from pathlib import Path; from ecg.records.download import fetch; fetch(['100'], Path('x'))",
            "downloading records needs requests: pip install 'ecg-monitor-simulator[records]'",
        ),
        (
            "edfio",
            "from pathlib import Path; from ecg.records import edf; edf.read(Path('x.edf'))",
            "reading EDF files needs edfio: pip install 'ecg-monitor-simulator[files]'",
        ),
        (
            "pandas",
            "from pathlib import Path; from ecg.records import tables; tables.read(Path('x.csv'))",
            "reading CSV files needs pandas: pip install 'ecg-monitor-simulator[files]'",
        ),
        (
            "sklearn",
            "import sys; from trainer.__main__ import main; sys.exit(main(['fit', '--help']))",
            "python -m trainer fit needs sklearn: pip install 'ecg-monitor-simulator[train]'",
        ),
        (
            "textual_serve",
            "import sys; from monitor.__main__ import main; sys.argv[1:] = ['--web']; sys.exit(main())",
            "the screen in a browser needs textual_serve: pip install 'ecg-monitor-simulator[web]'",
        ),
    ],
)
def test_a_package_that_is_not_installed_is_one_sentence_that_says_how_to_get_it(
    package: str, work: str, sentence: str
) -> None:
    without = f"import sys; sys.modules[{package!r}] = None\nfrom ecg import programs\n"
    body = "\n".join(f"    {line}" for line in work.split("; "))
    done = subprocess.run(
        [sys.executable, "-c", f"{without}def main():\n{body}\nsys.exit(programs.run(main))"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (2, sentence + "\n")
