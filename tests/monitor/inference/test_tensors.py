"""The engine says what the network says, however many beats share a pass and wherever it runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecg.errors import UserError
from ecg.model import network
from ecg.model.device import pick_device
from ecg.model.network import BeatNet, QuickReader, reader_of
from ecg.model.shape import NetShape
from ecg.records import library
from ecg.signal.beats import Beats
from ecg.signal.path import SignalPath
from monitor.inference.engine import Verdicts
from monitor.inference.passes import sizes_up_to
from monitor.inference.tensors import TensorEngine

NET, _ = network.load("memory-gru")


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
    return TensorEngine(net, pick_device(device), 12, batch_size).infer(BEATS)


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
    lstm, _ = network.load("memory-lstm")
    assert reader_of(lstm) == lstm.read


@pytest.mark.parametrize("staged", [False, True])
def test_warming_up_leaves_no_trace(staged: bool) -> None:
    engine = TensorEngine(NET, torch.device("cpu"), 12, staged=staged)
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
    engine = TensorEngine(NET, torch.device("cpu"), 12, 256)
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
    engine = TensorEngine(NET, torch.device("cpu"), 12)

    def broken(windows: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(engine, "_reader", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        engine.infer(BEATS)
    assert engine.batch_size == 256


@pytest.mark.parametrize("name", ["memory-gru", "memory-lstm"])
@pytest.mark.parametrize("batch_size", [1, 7, 24, 256])
def test_staged_passes_say_what_plain_ones_say(name: str, batch_size: int) -> None:
    net, _ = network.load(name)
    plain = TensorEngine(net, torch.device("cpu"), 12)
    staged = TensorEngine(net, torch.device("cpu"), 12, batch_size, staged=True)
    for _ in range(2):  # the memory is carried on from one call to the next
        expected, got = plain.infer(BEATS), staged.infer(BEATS)
        assert np.abs(expected.probabilities - got.probabilities).max() <= 1e-4
        assert np.abs(expected.moved - got.moved).max() <= 1e-3
    assert (plain.memory - staged.memory[:, :12]).abs().max() <= 1e-4


def test_a_staged_engine_grows_and_forgets_like_a_plain_one() -> None:
    found = []
    for staged in (False, True):
        engine = TensorEngine(NET, torch.device("cpu"), 6, staged=staged)
        engine.infer(BEATS.take(BEATS.slot < 6))
        engine.grow(12)
        assert engine.slots == 12
        engine.reset(np.array([2, 3]))
        assert engine.recall(2) == [0.0] * NET.shape.memory
        found.append(engine.infer(BEATS).probabilities)
    assert np.abs(found[0] - found[1]).max() <= 1e-4


def test_a_staged_engine_without_memory_for_a_pass_goes_on_with_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = classify().probabilities
    engine = TensorEngine(NET, torch.device("cpu"), 12, 256, staged=True)
    read = engine.net.read

    def little_room(windows: torch.Tensor) -> torch.Tensor:
        if len(windows) > 8:
            raise torch.OutOfMemoryError("no room")
        return read(windows)

    monkeypatch.setattr(engine.net, "read", little_room)
    assert np.abs(engine.infer(BEATS).probabilities - expected).max() <= 1e-4
    assert engine.batch_size <= 8


def test_bfloat16_is_near_and_is_refused_where_passes_are_not_staged() -> None:
    exact = classify().probabilities
    near = TensorEngine(NET, torch.device("cpu"), 12, staged=True, bfloat16=True).infer(BEATS).probabilities
    assert 0 < np.abs(exact - near).max() < 0.5
    assert (exact.argmax(axis=1) == near.argmax(axis=1)).mean() > 0.97
    with pytest.raises(UserError, match="bfloat16 needs a CUDA device"):
        TensorEngine(NET, torch.device("cpu"), 12, bfloat16=True)


@pytest.mark.parametrize(("batch_size", "sizes"), [(1, [1]), (16, [16]), (100, [16, 32, 64, 100])])
def test_graphs_come_in_powers_of_two_up_to_the_batch_size(batch_size: int, sizes: list[int]) -> None:
    assert sizes_up_to(batch_size) == sizes


def test_what_a_warm_up_computes_leaves_a_memory_that_can_be_saved() -> None:
    engine = TensorEngine(NET, torch.device("cpu"), 12, staged=True)
    assert engine._passes is not None
    engine._passes._pass(16)  # as the capture of a graph does, outside `infer`
    assert engine.save(11).shape == (1, NET.shape.memory)


def test_a_network_that_is_on_its_device_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    net, _ = network.load("memory-gru")
    monkeypatch.setattr(net, "to", None)
    assert TensorEngine(net, torch.device("cpu"), 12).net is net


on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


@on_a_gpu
def test_graphs_on_a_gpu_are_captured_and_trusted() -> None:
    net, _ = network.load("memory-gru")
    engine = TensorEngine(net, pick_device("cuda"), 12, 64)
    engine.warm_up()
    assert engine._passes is not None
    assert engine._passes.trusted
    assert len(engine._passes._graphs) == len(sizes_up_to(64))
    assert not engine.memory[:, :12].any()
    assert np.abs(engine.infer(BEATS).probabilities - classify().probabilities).max() <= 1e-4


@on_a_gpu
@pytest.mark.parametrize("name", ["memory-gru", "memory-lstm", "memory-rnn"])
@pytest.mark.parametrize("staged", [False, True])
def test_a_gpu_gives_what_the_cpu_gives(name: str, staged: bool) -> None:
    on_cpu = classify(net=network.load(name)[0])
    on_gpu = TensorEngine(network.load(name)[0], pick_device("cuda"), 12, 100, staged=staged).infer(BEATS)
    assert np.abs(on_cpu.probabilities - on_gpu.probabilities).max() <= 1e-4
    assert np.abs(on_cpu.moved - on_gpu.moved).max() <= 1e-3


@on_a_gpu
def test_an_engine_on_a_gpu_grows_forgets_saves_and_restores_like_one_on_the_cpu() -> None:
    found = []
    for device in ("cpu", "cuda"):
        engine = TensorEngine(network.load("memory-gru")[0], pick_device(device), 6)
        engine.warm_up()
        engine.infer(BEATS.take(BEATS.slot < 6))
        engine.grow(12)
        engine.reset(np.array([2, 3]))
        engine.restore(9, engine.save(4))
        assert engine.recall(9) == engine.recall(4)
        found.append(engine.infer(BEATS).probabilities)
    assert np.abs(found[0] - found[1]).max() <= 1e-4


@on_a_gpu
def test_another_engine_of_the_same_network_leaves_the_graphs_right() -> None:
    net, _ = network.load("memory-gru")
    engine = TensorEngine(net, pick_device("cuda"), 12)
    engine.warm_up()
    other = TensorEngine(net, pick_device("cuda"), 12)
    other.warm_up()
    expected = classify().probabilities
    for one in (engine, other):
        assert np.abs(one.infer(BEATS).probabilities - expected).max() <= 1e-4


@on_a_gpu
def test_bfloat16_on_a_gpu_is_near_and_its_graphs_are_trusted() -> None:
    engine = TensorEngine(network.load("memory-gru")[0], pick_device("cuda"), 12, bfloat16=True)
    engine.warm_up()
    assert engine._passes is not None
    assert engine._passes.trusted
    exact, near = classify().probabilities, engine.infer(BEATS).probabilities
    assert (exact.argmax(axis=1) == near.argmax(axis=1)).mean() > 0.97
