"""Beats go through a kernel of our own: the library's numbers, whatever stands beside a beat."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecg.model import compiled as compiled_net
from ecg.model.network import BeatNet, NetShape
from ecg.signal import compiled
from ecg.signal.beats import Beats
from monitor.inference.engine import Engine

SHAPE = NetShape(stem=4, reader=6, bottleneck=3, memory=5, features=4)
CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("kernels_built")


def engines() -> tuple[Engine, Engine]:
    """The same network with the kernel and without."""
    torch.manual_seed(1)
    net = BeatNet(SHAPE)
    quick = Engine(net, CPU, 8)
    with compiled.only_numpy():
        return quick, Engine(net, CPU, 8)


def beats(slots: list[int], seed: int = 0) -> Beats:
    rng = np.random.default_rng(seed)
    found = Beats.none()
    found.slot = np.array(slots)
    found.windows = rng.normal(0, 2, (len(slots), SHAPE.channels, SHAPE.window)).astype(np.float32)
    found.features = rng.normal(0, 1, (len(slots), SHAPE.features)).astype(np.float32)
    found.at = found.index = found.ready = np.zeros(len(slots), np.int64)
    found.rr_ms = found.heart_rate = np.zeros(len(slots), np.float32)
    return found


def test_the_kernel_says_what_the_library_says_and_carries_the_same_memory() -> None:
    quick, slow = engines()
    for seed, slots in enumerate(([0], [0, 0, 0, 3], [1, 2, 3, 3, 7], [0, 7])):
        ours, expected = quick.infer(beats(slots, seed)), slow.infer(beats(slots, seed))
        np.testing.assert_allclose(ours.probabilities, expected.probabilities, atol=1e-5)
        np.testing.assert_allclose(ours.moved, expected.moved, atol=1e-5)
        torch.testing.assert_close(quick.memory, slow.memory, atol=1e-5, rtol=0)
    assert float(quick.memory.abs().max()) > 0.1


def test_a_beat_gets_the_same_bits_alone_and_among_others() -> None:
    alone, among = engines()[0], engines()[0]
    many = beats(list(range(8)))
    together = among.infer(many)
    for place in range(8):
        one = many.take(np.array([place]))
        assert np.array_equal(alone.infer(one).probabilities[0], together.probabilities[place])
    assert torch.equal(alone.memory, among.memory)


def test_many_beats_and_other_networks_go_through_the_library() -> None:
    quick, slow = engines()
    many = beats([slot // 40 for slot in range(compiled_net.FEW + 4)])
    assert np.array_equal(quick.infer(many).probabilities, slow.infer(many).probabilities)
    assert not compiled_net.able(BeatNet(NetShape(cell="lstm")))
    assert not compiled_net.able(BeatNet(NetShape(carried=False)))
    with compiled.only_numpy():
        assert not compiled_net.able(BeatNet(SHAPE))
