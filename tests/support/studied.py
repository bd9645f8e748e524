"""The networks beside the ward's in tests: none that is shipped, so that better weights change no picture."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ecg import programs
from ecg.model import weights
from ecg.records.rows import ROW_LENGTH
from monitor.study import study
from tests.support.shown_ward import WEIGHTS


def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own network stands for the shipped GRU and LSTM; there is no RNN; the lecture's is another."""
    fitted = weights.load(WEIGHTS)[0]
    torch.manual_seed(0)
    read = nn.Sequential(nn.Flatten(), nn.Linear(ROW_LENGTH, 5)).eval()
    monkeypatch.setattr(study, "shipped_memory", lambda cell: None if cell == "rnn" else fitted)
    monkeypatch.setattr(study, "lecture", lambda: read)
    monkeypatch.setattr(programs, "typed", programs.shown)  # a picture must not hold this machine's folders
