from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ecg.model.fusion import fused
from ecg.model.network import BeatNet
from ecg.records.record import Record
from trainer.data.cutting import cut_both
from trainer.recipes import RECIPES
from trainer.scoring.evaluation import both_leads, calibration_of
from trainer.scoring.naming import probabilities


def test_a_record_is_named_from_both_leads_and_from_one_where_there_is_no_other(pieces: list[Record]) -> None:
    torch.manual_seed(3)
    net = BeatNet(RECIPES["patients"].shape).eval()
    one, alone = pieces[0], pieces[1]
    two = replace(
        one,
        leads=("MLII", "V1"),
        gain=np.repeat(one.gain, 2),
        baseline=np.repeat(one.baseline, 2),
        samples=np.concatenate((one.samples, np.roll(one.samples, 3, axis=0)), axis=1),
    )
    pairs = cut_both([two, alone])
    named = both_leads(net, pairs)
    first, second = pairs[0]
    assert second is not None
    one_said, other_said = probabilities(net, [first, second])
    expected = fused(one_said, other_said)
    assert np.allclose(named[0].probabilities, expected, atol=1e-6)
    assert np.abs(named[0].probabilities - probabilities(net, [first])[0]).max() > 1e-3
    assert np.allclose(named[1].probabilities, probabilities(net, [pairs[1][0]])[0], atol=1e-6)
    found = calibration_of({"one": named[0]})
    assert abs(sum(row["share"] for row in found["bins"]) - 1) < 1e-9
    assert 0 <= found["expected_error"] <= 1
