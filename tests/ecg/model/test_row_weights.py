"""Networks over rows on disk: what is saved comes back, and what is not whole is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ecg.errors import UserError
from ecg.model import row_weights
from ecg.model.lecture import build
from ecg.model.row_weights import RowCard

CARD = RowCard(name="r", recipe="kaggle", net="residual", commit="", seed=1, metrics={"rows": 3})


def test_what_is_saved_in_half_precision_names_rows_alike(tmp_path: Path) -> None:
    net = build("residual", 0.1).eval()
    row_weights.save(tmp_path / "r.safetensors", net, CARD)
    back, card = row_weights.load("r", tmp_path)
    rows = torch.rand(6, 187)
    with torch.inference_mode():
        apart = (torch.softmax(back(rows), dim=1) - torch.softmax(net(rows), dim=1)).abs().max()
    assert float(apart) < 1e-2 and card.metrics == {"rows": 3} and not back.training


def test_the_lectures_network_is_shipped_with_the_score_of_other_patients() -> None:
    assert "tutorial" in row_weights.shipped()
    net, card = row_weights.load("tutorial")
    assert card.net == "tutorial" and card.metrics["split"] == "patients of DS1 against patients of DS2"
    assert net(torch.zeros(1, 187)).shape == (1, 5)


def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no network over rows 'r'"):
        row_weights.load("r", tmp_path)
    path = tmp_path / "r.safetensors"
    row_weights.save(path, build("residual", 0.1), CARD)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="SHA-256 differs"):
        row_weights.load("r", tmp_path)
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(UserError, match="does not hold the network of its card"):
        row_weights.load("r", tmp_path)
