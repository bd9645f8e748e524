"""What the pages claim, on the numbers of small runs; ECG_LESSONS=0,1,2 runs every lesson as it is shipped instead, at
these seeds.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import msgspec
import pytest

from trainer.lessons import LESSONS
from trainer.lessons.frame import page
from trainer.lessons.frame.lesson import LANGUAGES, Outcome, lesson, silent

FIRM = {
    "amnesia": "blind remembers blind_beat remembers_beat",
    "rnn": "same longer",
    "vanishing": "dies open rnn_fails open_learns explodes",
    "gates": "same moves needed drowns",
    "gru": "cheaper",
    "split": "leaks",
    "distortion": "rr usual",
    "imbalance": "empty under_find weights_find weights_lie smoothing_shy",
    "bilstm": "moment",
    "handover": "alike forgets worst_after handed_on",
    "edge": "smaller agrees units",
    "attention": "rival keeps_more",
    "forecast": "persistence unknowable",
    "trend": "gru honest",
    "text": "bag",
    "rhythms": "learns",
}
"""Claims that show in small runs, at each of the seeds 0 to 4."""
AS_SHIPPED = {
    "vanishing": "lstm_too clip",
    "gates": "lets_go",
    "gru": "equal more_hearts overfits",
    "split": "flatters",
    "distortion": "size p_wave",
    "imbalance": "cost",
    "attention": "past",
    "forecast": "linear horizon",
    "trend": "change",
    "text": "order",
    "rhythms": "many",
}
"""And those that need the size of the lesson as it is shipped."""
LONG = os.environ.get("ECG_LESSONS", "")
SEEDS = [int(seed) for seed in LONG.split(",")] if LONG else [0]


@pytest.fixture(scope="module", params=[(name, seed) for name in LESSONS for seed in SEEDS], ids=str)
def ran(request: pytest.FixtureRequest) -> tuple[str, msgspec.Struct, Outcome]:
    name, seed = request.param
    one = lesson(name)
    settings = one.settings if LONG else msgspec.structs.replace(one.settings, **one.quick)
    if "seed" in settings.__struct_fields__:
        settings = msgspec.structs.replace(settings, seed=seed)
    return name, settings, one.run(settings, (), silent)


def test_what_a_page_claims_shows_in_the_numbers(ran: tuple[str, msgspec.Struct, Outcome]) -> None:
    name, _, outcome = ran
    wanted = FIRM[name].split() + (AS_SHIPPED.get(name, "").split() if LONG else [])
    if name == "edge" and find_spec("onnxruntime"):
        wanted.append("onnx")
    assert {claim for claim in wanted if not outcome.claims[claim]} == set()


def test_a_page_takes_its_numbers_and_claims_from_the_run(ran: tuple[str, msgspec.Struct, Outcome]) -> None:
    name, settings, outcome = ran
    done = page.Done(lesson=lesson(name), settings=settings, outcome=outcome, seconds=1.0)
    for language in LANGUAGES:
        text = page.template(name, language)
        assert set(page.CLAIM.findall(text)) == set(outcome.claims)
        figures = {int(number): f"{number}.png" for number in page.FIGURE.findall(text)}
        written = page.markdown(done, language, figures)
        said = (page.SHOWN.of(language), page.NOT_SHOWN.of(language))
        assert sum(written.count(f"- {one}") for one in said) == len(outcome.claims)
        assert written.count(f"- {said[0]}") == sum(outcome.claims.values())
        assert msgspec.json.encode(page.tree(done))
