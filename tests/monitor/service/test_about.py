"""What the service says of its network: the records it was fitted on, as the card has them."""

from __future__ import annotations

import pytest

from ecg.model import weights
from ecg.records.aami import DS1
from monitor.service.status import fitted_on


@pytest.mark.parametrize("name", weights.shipped())
def test_the_shipped_weights_say_what_they_were_fitted_on(name: str) -> None:
    _, card = weights.load(name)
    records = card.metrics["fitted_on"]["records"]
    about = fitted_on(card.metrics)
    assert f"{len(records)} records" in about and records[0] in about and records[-1] in about


def test_a_known_set_is_named_and_a_long_list_is_cut() -> None:
    assert fitted_on({"fitted_on": {"records": list(DS1)}}) == "MIT-BIH DS1: 22 records (101, 106, 108, …, 230)"
    assert fitted_on({"fitted_on": {"records": ["800", "801"]}}) == "2 records (800, 801)"


@pytest.mark.parametrize("metrics", [{}, {"fitted_on": {}}, {"fitted_on": "DS1"}])
def test_a_card_that_does_not_say_leaves_it_empty(metrics: dict[str, object]) -> None:
    assert fitted_on(metrics) == ""
