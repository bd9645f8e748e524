from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import msgspec
import pytest
import safetensors.torch
import torch

from ecg.errors import UserError
from ecg.model import network, weights
from ecg.model.network import BeatNet, built
from ecg.model.shape import Cell, NetShape
from ecg.model.weights import Card
from ecg.signal import path as signal_path

SHAPE = NetShape(
    channels=signal_path.CHANNELS, window=signal_path.WINDOW, features=len(signal_path.FEATURES), stem=4, reader=6
)


def card(**changes: object) -> Card:
    plain = Card(
        name="small",
        recipe="memory",
        shape=SHAPE,
        features=list(signal_path.FEATURES),
        rate=signal_path.MODEL_RATE,
        window=signal_path.WINDOW,
        data_hash="0" * 64,
        commit="",
        seed=7,
        metrics={"end_to_end": {"macro_f1_nsv": 0.5}},
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, BeatNet]:
    torch.manual_seed(1)
    net = BeatNet(SHAPE).eval()
    target = tmp_path / "small.safetensors"
    weights.save(target, net.as_weights(), card())
    return target, net


def test_what_is_saved_is_what_is_loaded(saved: tuple[Path, BeatNet]) -> None:
    target, net = saved
    again, found = network.load(target)
    assert not again.training
    assert found.metrics == {"end_to_end": {"macro_f1_nsv": 0.5}}
    assert len(found.sha256) == 64
    windows = torch.randn(3, SHAPE.channels, SHAPE.window)
    features = torch.randn(3, SHAPE.features)
    one, _ = net(windows, features, net.empty_memory(3))
    other, _ = again(windows, features, again.empty_memory(3))
    assert torch.equal(one, other)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("rhythms", [0, 3])
def test_the_arrays_of_a_shape_are_those_of_its_network(cell: Cell, rhythms: int) -> None:
    net = BeatNet(NetShape(cell=cell, stem=3, reader=5, bottleneck=2, memory=7, rhythms=rhythms))
    assert net.shape.arrays() == {name: tuple(values.shape) for name, values in net.state_dict().items()}
    assert net.shape.parts == net.empty_memory(1).shape[0]


def test_the_file_that_is_written_is_the_one_that_torch_writes() -> None:
    for name in weights.shipped():
        fitted, _ = weights.load(name)
        content = safetensors.torch.save(built(fitted).state_dict())
        assert weights.fingerprint(fitted) == hashlib.sha256(content).hexdigest()


def test_weights_that_are_not_there_are_named_together_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no weights 'nowhere'"):
        weights.load("nowhere")
    with pytest.raises(UserError, match="no weights"):
        weights.load(tmp_path / "x.safetensors")


def test_weights_without_a_card_are_refused(saved: tuple[Path, BeatNet]) -> None:
    saved[0].with_suffix(".json").unlink()
    with pytest.raises(UserError, match=r"cannot read .*small\.json"):
        weights.load(saved[0])


def test_a_card_that_is_no_card_is_refused(saved: tuple[Path, BeatNet]) -> None:
    saved[0].with_suffix(".json").write_text('{"name": 3}')
    with pytest.raises(UserError, match="not a card"):
        weights.load(saved[0])
    saved[0].with_suffix(".json").write_text("{")
    with pytest.raises(UserError, match="not a card"):
        weights.load(saved[0])


def test_weights_fitted_before_a_feature_was_known_answer_as_they_did(tmp_path: Path) -> None:
    lacking = [name for name in signal_path.FEATURES if name not in ("size", "newness")]
    net = BeatNet(msgspec.structs.replace(SHAPE, features=len(lacking))).eval()
    weights.save(tmp_path / "old.safetensors", net.as_weights(), card(shape=net.shape, features=lacking))
    wide, found = network.load(tmp_path / "old.safetensors")
    assert found.features == list(signal_path.FEATURES)
    assert wide.shape == found.shape == SHAPE
    windows, features = torch.randn(3, SHAPE.channels, SHAPE.window), torch.randn(3, SHAPE.features)
    heard = features[:, [signal_path.FEATURES.index(name) for name in lacking]]
    with torch.no_grad():
        one, memory = net(windows, heard, net.empty_memory(3))
        other, after = wide(windows, features, wide.empty_memory(3))
    assert torch.allclose(one, other, atol=1e-6)
    assert torch.allclose(memory, after, atol=1e-6)


@pytest.mark.parametrize("cut", [3, 200, -1])
def test_a_broken_weights_file_is_refused(saved: tuple[Path, BeatNet], cut: int) -> None:
    saved[0].write_bytes(saved[0].read_bytes()[:cut])
    with pytest.raises(UserError, match="not the file its card describes"):
        weights.load(saved[0])


def test_weights_of_another_shape_than_their_card_says_are_refused(saved: tuple[Path, BeatNet]) -> None:
    other = msgspec.structs.replace(SHAPE, reader=8)
    weights.save(saved[0], saved[1].as_weights(), card(shape=other))
    with pytest.raises(UserError, match="does not hold the network of its card"):
        weights.load(saved[0])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rate": 360}, "rate is 360, needed is 125"),
        ({"window": 3}, "window is 3"),
        ({"features": ["moon_phase"]}, "moon_phase"),
        ({"shape": msgspec.structs.replace(SHAPE, features=3)}, r"shape\.features is 3"),
        ({"shape": msgspec.structs.replace(SHAPE, channels=7)}, "channels is 7"),
    ],
)
def test_a_card_that_does_not_fit_the_signal_path_is_refused_in_one_sentence(
    saved: tuple[Path, BeatNet], changes: dict[str, object], named: str
) -> None:
    weights.save(saved[0], saved[1].as_weights(), card(**changes))
    with pytest.raises(UserError, match=named) as caught:
        weights.load(saved[0])
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_the_weights_that_were_there(
    saved: tuple[Path, BeatNet], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved[0].read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        weights.save(saved[0], BeatNet(SHAPE).as_weights(), card())
    monkeypatch.undo()
    assert saved[0].read_bytes() == before
    assert sorted(p.name for p in saved[0].parent.iterdir()) == ["small.json", "small.safetensors"]
    weights.load(saved[0])


@pytest.mark.parametrize("name", weights.shipped())
def test_shipped_weights_load_and_are_small(name: str) -> None:
    net, found = network.load(name)
    assert found.name == name
    assert (weights.SHIPPED / f"{name}.safetensors").stat().st_size < 2_000_000
    assert sum(p.numel() for p in net.parameters()) > 1000
