"""The benchmarks as a user starts them, with settings so small that only their layout counts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ecg.errors import UserError
from ecg.records import library
from ecg.settings import Config
from monitor.bench import check, harness
from monitor.cli import main
from tests.support.brokers import MOSQUITTO


def figures(tmp_path: Path, *arguments: str) -> dict:  # type: ignore[type-arg]
    """The JSON file of one benchmark."""
    file = tmp_path / "figures.json"
    assert main(["bench", *arguments, "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert isinstance(found, dict)
    return found


def test_engine_gives_rates_beside_their_references(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(tmp_path, "engine", "--batches", "1,8", "--seconds", "0.01", "--device", "cpu")
    assert found["device"] == "cpu"
    assert list(found["batches"]) == ["1", "8"]
    one = found["batches"]["8"]
    assert one["vs_lecture"] == pytest.approx(one["beats_per_s"] / one["lecture_beats_per_s"])
    assert one["ms_per_batch_p99"] >= one["ms_per_batch"] > 0
    assert one["vs_matmul"] == pytest.approx(one["recurrent_gflops"] / one["matmul_gflops"])
    assert "lecture" in capsys.readouterr().out


def test_replay_gives_seconds_of_ecg_per_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(tmp_path, "replay", "--records", "excerpt", "--chunk-seconds", "15")
    assert found["all_records"] == pytest.approx(300 / found["wall_s"])
    assert found["one_bed"] > 0
    assert 400 < found["beats"] < 600
    assert "208-excerpt" in capsys.readouterr().out


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_pipeline_gives_loss_latency_cpu_and_memory(tmp_path: Path) -> None:
    found = figures(tmp_path, "pipeline", "--beds", "3", "--seconds", "2", "--records", "excerpt")
    (step,) = found["steps"]
    assert step["beds"] == 3
    assert step["lost_samples"] == 0
    assert set(step["overhead_ms"]) == {"p50", "p99", "max"}
    assert 0 < step["overhead_ms"]["p50"] <= step["overhead_ms"]["p99"]
    assert set(step["cpu"]) == set(step["us_per_bed_second"]) == {"broker", "monitor", "producer"}
    assert {"main", "mqtt"} <= set(step["monitor_threads_us"]) or sys.platform != "linux"
    assert step["rss_mb"] > 10
    assert found["largest_held"] in (0, 3)


def test_the_file_of_ratios_knows_every_part_and_slower_is_a_fifth() -> None:
    parts = check.Parts(Config(), library.read(library.EXCERPT)).all()
    assert all(set(ratios) == set(parts) for ratios in check.read().values())
    assert check.slower({"a": 1.19, "b": 1.21, "c": 0.1}, {"a": 1.0, "b": 1.0}) == ["b", "c"]
    found = check.measured({"work": check.workload}, 2)
    assert found["work"] == pytest.approx(1000, rel=0.5)


def test_without_mosquitto_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(UserError, match="needs the broker Mosquitto: apt-get install mosquitto"):
        main(["bench", "pipeline", "--beds", "1"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("engine --batches 1,x", "--batches 1,x cannot be used"),
        ("engine --batches 0", "--batches 0 cannot be used"),
        ("replay --chunk-seconds 0", "--chunk-seconds 0 cannot be used"),
        ("pipeline --beds 100000", "--beds 100000 cannot be used"),
        ("pipeline --beds 1 --seconds 0", "--seconds 0 cannot be used"),
        ("replay --records excerpt --json /no/where.json", "cannot write /no/where.json"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(arguments: str, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "monitor", "bench", *arguments.split()], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(said)
    assert ended.stderr.count("\n") == 1


def test_a_quantile_between_two_looks_counts_what_came_between_them() -> None:
    before = [(1.0, 100.0), (2.0, 100.0), (4.0, 100.0), (float("inf"), 100.0)]
    after = [(1.0, 100.0), (2.0, 150.0), (4.0, 199.0), (float("inf"), 200.0)]
    assert harness.quantile(before, after, 0.5) == 2.0
    assert harness.quantile(before, after, 0.99) == 4.0
    assert harness.quantile(before, after, 1.0) == 4.0
    assert harness.quantile(before, before, 0.5) is None
