from __future__ import annotations

import numpy as np
import pytest
import torch

from ecg.model.network import BeatNet
from ecg.records.record import Record
from ecg.signal.path import SignalPath
from trainer.data.cutting import cut
from trainer.recipes import RECIPES, recipe_of
from trainer.scoring import naming


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_the_stream_beat_by_beat_gives_what_the_evaluation_of_the_whole_record_gives(
    pieces: list[Record], cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    net = BeatNet(recipe_of("memory", [f"cell={cell}"]).shape).eval()
    monkeypatch.setattr(naming, "PIECE", 16)
    whole = naming.probabilities(net, cut(pieces, "detector"))
    rng = np.random.default_rng(0)
    for record, expected in zip(pieces, whole, strict=True):
        path = SignalPath(1)
        path.reset(np.zeros(1, np.int64), np.array([record.rate]), np.zeros(1, np.int64))
        signal = record.millivolts(0)
        memory = net.empty_memory(1)
        said = []
        at = 0
        while at <= len(signal):
            step = int(rng.integers(1, 700))
            ended = at == len(signal)
            beats = (
                path.finish(np.zeros(1, np.int64))
                if ended
                else path.step(np.zeros(1, np.int64), [signal[at : at + step]])
            )
            for i in range(len(beats)):
                with torch.no_grad():
                    logits, memory = net(
                        torch.from_numpy(beats.windows[i : i + 1]),
                        torch.from_numpy(beats.features[i : i + 1]),
                        memory,
                    )
                said.append(torch.softmax(logits[0], -1).numpy())
            if ended:
                break
            at = min(at + step, len(signal))
        assert np.abs(np.array(said) - expected).max() < 1e-5


def test_a_record_gets_the_same_probabilities_alone_as_in_company(pieces: list[Record]) -> None:
    torch.manual_seed(2)
    net = BeatNet(RECIPES["memory"].shape)
    cuts = cut(pieces, "reference")
    together = naming.probabilities(net, cuts)
    assert net.training
    for one, said in zip(cuts, together, strict=True):
        assert said.shape == (len(one), 5)
        assert np.allclose(naming.probabilities(net, [one])[0], said, atol=1e-5)
        assert np.allclose(said.sum(axis=1), 1, atol=1e-5)
