"""The engine without torch gives the library's numbers, whatever stands beside a beat, and takes its memories over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.model import compiled as compiled_net
from ecg.model.network import BeatNet
from ecg.model.shape import NetShape
from ecg.model.weights import Weights
from ecg.signal import compiled
from ecg.signal.beats import Beats
from monitor.inference import choice
from monitor.inference.arrays import ArrayEngine
from monitor.inference.tensors import TensorEngine

SHAPE = NetShape(stem=4, reader=6, bottleneck=3, memory=5, features=4)


pytestmark = pytest.mark.usefixtures("kernels_built")


def fitted(shape: NetShape = SHAPE) -> Weights:
    torch.manual_seed(1)
    return BeatNet(shape).as_weights()


def engines() -> tuple[ArrayEngine, TensorEngine]:
    """The same network without the library and with it."""
    given = fitted()
    return ArrayEngine(given, 8), TensorEngine.of(given, "cpu", 8, staged=False)


def beats(slots: list[int], seed: int = 0) -> Beats:
    rng = np.random.default_rng(seed)
    found = Beats.none()
    found.slot = np.array(slots, np.int64)
    found.windows = rng.normal(0, 2, (len(slots), SHAPE.channels, SHAPE.window)).astype(np.float32)
    found.features = rng.normal(0, 1, (len(slots), SHAPE.features)).astype(np.float32)
    found.at = found.index = found.ready = np.zeros(len(slots), np.int64)
    found.rr_ms = found.heart_rate = np.zeros(len(slots), np.float32)
    found.paced = np.zeros(len(slots), bool)
    return found


def agree(ours: ArrayEngine, library: TensorEngine, given: Beats) -> None:
    """Both say the same of these beats, and carry the same memory on."""
    got, expected = ours.infer(given), library.infer(given)
    np.testing.assert_allclose(got.probabilities, expected.probabilities, atol=1e-5)
    np.testing.assert_allclose(got.moved, expected.moved, atol=1e-5)
    np.testing.assert_allclose(ours.memory, library.memory.numpy(), atol=1e-5)


@pytest.mark.parametrize("slots", [[], [0], [0, 0, 0, 3], [1, 2, 3, 3, 7], [slot // 50 for slot in range(399)]])
def test_the_kernel_says_what_the_library_says_and_carries_the_same_memory(slots: list[int]) -> None:
    ours, library = engines()
    for seed in range(2):
        agree(ours, library, beats(slots, seed))
    assert not slots or float(np.abs(ours.memory).max()) > 0.1


def test_a_beat_gets_the_same_bits_alone_and_among_others() -> None:
    alone, among = engines()[0], engines()[0]
    many = beats([0, 1, 2, 3, 3, 4, 5, 6, 7])
    together = among.infer(many)
    for place in range(len(many)):
        one = many.take(np.array([place]))
        assert np.array_equal(alone.infer(one).probabilities[0], together.probabilities[place])
    assert np.array_equal(alone.memory, among.memory)


def test_each_engine_goes_on_with_what_the_other_saved() -> None:
    ours, library = engines()
    ours.infer(beats([0, 0, 1, 5], 1))
    for slot in range(8):
        library.restore(slot, ours.save(slot))
    agree(ours, library, beats([0, 1, 5, 5], 2))
    fresh = ArrayEngine(ours.weights, 8)
    for slot in range(8):
        fresh.restore(slot, library.save(slot))
    agree(fresh, library, beats([0, 1, 2, 5], 3))


def test_both_grow_and_forget_alike_and_refuse_what_does_not_fit() -> None:
    ours, library = engines()
    for one in (ours, library):
        one.infer(beats([0, 2, 3, 7]))
        one.grow(12)
        one.grow(3)
        one.reset(np.array([2, 3]))
        one.reset(np.zeros(0, np.int64))
        one.warm_up()
        assert one.slots == 12 and one.recall(3) == [0.0] * SHAPE.memory and any(one.recall(7))
        bads: list[NDArray[Any]] = [np.zeros((2, 5), np.float32), np.zeros((1, 5)), np.full((1, 5), np.nan, np.float32)]
        for bad in bads:
            with pytest.raises(ValueError, match="a memory of"):
                one.restore(0, bad)
    np.testing.assert_allclose(ours.memory, library.memory.numpy(), atol=1e-5)


def test_the_kernel_is_taken_where_it_can_compute_the_network_and_the_library_elsewhere() -> None:
    assert isinstance(choice.engine(fitted(), "cpu", 4), ArrayEngine)
    for shape in (NetShape(cell="lstm"), NetShape(cell="rnn"), NetShape(carried=False)):
        assert not compiled_net.able(shape)
        assert isinstance(choice.engine(fitted(shape), "cpu", 4), TensorEngine)
    assert choice.engine(fitted(), "cpu:0", 4).device == "cpu:0"
    with compiled.only_numpy():
        assert isinstance(choice.engine(fitted(), "cpu", 4), TensorEngine)


def test_bfloat16_is_refused_where_nothing_can_compute_in_it() -> None:
    with pytest.raises(UserError, match="bfloat16 needs a CUDA device"):
        choice.engine(fitted(), "cpu", 4, bfloat16=True)
