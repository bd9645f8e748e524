"""The engine says what the network says, however many beats share a pass and wherever it runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecg import library, weights
from ecg.beats import Beats
from ecg.network import BeatNet, NetShape, QuickReader, reader_of
from ecg.path import SignalPath
from monitor.engine import Engine, Verdicts

NET, _ = weights.load("memory-gru")


def excerpt_beats(beds: int) -> Beats:
    """Beats of the excerpt as if several beds had begun at different places."""
    path = SignalPath(beds)
    signal = library.read("excerpt").millivolts(0)
    slots = np.arange(beds)
    path.reset(slots, np.full(beds, 360.0), np.zeros(beds, np.int64))
    return path.step(slots, [signal[number * 3000 : number * 3000 + 20_000] for number in range(beds)])


BEATS = excerpt_beats(12)


def classify(device: str = "cpu", batch_size: int = 256, net: BeatNet = NET) -> Verdicts:
    """All the beats in one call."""
    return Engine(net, torch.device(device), 12, batch_size).infer(BEATS)


@pytest.mark.parametrize(("reader", "stem", "count"), [(32, 16, 300), (8, 3, 1), (64, 16, 257)])
def test_the_quick_reader_says_what_the_reader_says(reader: int, stem: int, count: int) -> None:
    torch.manual_seed(reader)
    net = BeatNet(NetShape(reader=reader, stem=stem)).eval()
    windows = 3 * torch.randn(count, 2, 96)
    with torch.inference_mode():
        assert isinstance(reader_of(net), QuickReader)
        difference = (net.read(windows) - QuickReader(net)(windows)).abs().max()
    assert difference <= 1e-6


def test_the_quick_reader_says_the_same_of_real_beats_with_the_shipped_weights() -> None:
    windows = torch.from_numpy(BEATS.windows)
    with torch.inference_mode():
        steps = NET.stem(windows)
        assert (NET.pool(steps) - QuickReader(NET).pool(steps)).abs().max() <= 1e-5
        assert (NET.read(windows) - QuickReader(NET)(windows)).abs().max() <= 1e-5


def test_an_lstm_keeps_its_own_reader() -> None:
    lstm, _ = weights.load("memory-lstm")
    assert reader_of(lstm) == lstm.read


def test_warming_up_leaves_no_trace() -> None:
    engine = Engine(NET, torch.device("cpu"), 12)
    expected = engine.infer(BEATS)
    after = engine.memory.clone()
    engine.warm_up()
    assert torch.equal(engine.memory, after)
    assert not np.array_equal(engine.infer(BEATS).probabilities, expected.probabilities)  # it goes on from there


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_size_of_a_pass_changes_nothing(batch_size: int) -> None:
    whole, parts = classify(), classify(batch_size=batch_size)
    assert np.abs(whole.probabilities - parts.probabilities).max() <= 1e-5
    assert np.abs(whole.moved - parts.moved).max() <= 1e-4


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("no room"), RuntimeError("DefaultCPUAllocator: can't allocate memory"), MemoryError()],
)
def test_without_memory_for_a_pass_the_batch_halves_and_goes_on(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = classify().probabilities
    engine = Engine(NET, torch.device("cpu"), 12, 256)
    reader, remember = engine._reader, engine.net.remember

    def little_room(most: int, inner):  # type: ignore[no-untyped-def]
        def work(inputs: torch.Tensor, *rest: torch.Tensor):  # type: ignore[no-untyped-def]
            if len(inputs) > most:
                raise error
            return inner(inputs, *rest)

        return work

    monkeypatch.setattr(engine, "_reader", little_room(40, reader))
    monkeypatch.setattr(engine.net, "remember", little_room(5, remember))
    got = engine.infer(BEATS).probabilities
    assert len(BEATS) > 256
    assert np.abs(got - expected).max() <= 1e-5
    assert engine.batch_size <= 5


def test_an_error_that_is_not_about_memory_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(NET, torch.device("cpu"), 12)

    def broken(windows: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(engine, "_reader", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        engine.infer(BEATS)
    assert engine.batch_size == 256


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("name", ["memory-gru", "memory-lstm"])
def test_a_gpu_gives_what_the_cpu_gives(name: str) -> None:
    on_cpu = classify(net=weights.load(name)[0])
    on_gpu = classify("cuda", net=weights.load(name)[0])
    assert np.abs(on_cpu.probabilities - on_gpu.probabilities).max() <= 1e-4
