"""Rows of the Kaggle file, named by a network and scored."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, recall_score
from torch import nn

from ecg.records.aami import CLASSES
from trainer.data.rows import Rows

BATCH: Final = 512
"""Rows in one pass."""


@torch.no_grad()
def predict(net: nn.Module, rows: Rows, device: torch.device) -> NDArray[np.float32]:
    """Class probabilities: float32 [n, 5]."""
    training = net.training
    net.eval()
    parts = [
        torch.softmax(net(torch.from_numpy(rows.values[i : i + BATCH]).to(device)).float(), dim=-1).cpu().numpy()
        for i in range(0, len(rows), BATCH)
    ]
    net.train(training)
    return np.concatenate(parts)


def scores_of(rows: Rows, given: NDArray[np.float32]) -> dict[str, Any]:
    """Accuracy, macro recall, macro F1, F1 per class, and the confusion matrix. given: probabilities [n, 5]."""
    named = given.argmax(axis=1)
    labels = list(range(len(CLASSES)))
    each = f1_score(rows.classes, named, labels=labels, average=None, zero_division=0)
    return {
        "rows": len(rows),
        "accuracy": float((named == rows.classes).mean()),
        "macro_recall": float(recall_score(rows.classes, named, labels=labels, average="macro", zero_division=0)),
        "macro_f1": float(each.mean()),
        "f1": {name: float(value) for name, value in zip(CLASSES, each, strict=True)},
        "confusion": confusion_matrix(rows.classes, named, labels=labels).tolist(),
    }
