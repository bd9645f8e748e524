from __future__ import annotations

import pytest
import torch

from ecg.errors import UserError
from ecg.model.device import pick_device


def test_the_cpu_is_always_there() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda")


@pytest.mark.parametrize(
    ("name", "told"),
    [("abacus", "is not known"), ("", "is not known"), ("cuda:99", "is not there"), ("meta", "computes nothing")],
)
def test_a_device_that_cannot_be_used_is_one_sentence(name: str, told: str) -> None:
    with pytest.raises(UserError, match=f"device '{name}' {told}|device '{name}' is not there or {told}") as caught:
        pick_device(name)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:0"])
def test_a_gpu_that_is_picked_computes_float32_as_float32(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert pick_device(name).type == "cuda"
    assert not torch.backends.cudnn.allow_tf32
