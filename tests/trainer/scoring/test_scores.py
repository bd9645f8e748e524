from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from trainer.data.streams import Cuts
from trainer.scoring import scores


def table_of(known: np.ndarray, said: np.ndarray) -> np.ndarray:
    table = np.zeros((6, 6), np.int64)
    np.add.at(table, (known, said), 1)
    return table


def test_the_scores_are_those_of_scikit_learn_where_no_beat_is_missed() -> None:
    rng = np.random.default_rng(0)
    known, said = rng.integers(0, 5, 500), rng.integers(0, 5, 500)
    found = scores.score(table_of(known, said))
    for i, name in enumerate("NSVFQ"):
        assert found[f"{name}.se"] == pytest.approx(recall_score(known == i, said == i))
        assert found[f"{name}.ppv"] == pytest.approx(precision_score(known == i, said == i))
        assert found[f"{name}.f1"] == pytest.approx(f1_score(known == i, said == i))
    assert found["accuracy"] == pytest.approx((known == said).mean())
    assert found["macro_f1_nsv"] == pytest.approx(np.mean([found[f"{c}.f1"] for c in "NSV"]))
    assert found["macro_f1_nsvf"] == pytest.approx(np.mean([found[f"{c}.f1"] for c in "NSVF"]))


def test_a_missed_beat_counts_against_sensitivity_and_a_false_one_against_predictivity(cuts: Cuts) -> None:
    cut = cuts["detector", "one"]
    perfect = scores.score(scores.tally(cut, cut.classes))
    assert perfect["accuracy"] == 1
    v = int(np.flatnonzero(cut.reference.classes == 2)[0])
    near = int(np.flatnonzero(np.abs(cut.index - cut.reference.index[v]) < 54)[0])
    keep = np.arange(len(cut)) != near
    fewer = replace(
        cut, windows=cut.windows[keep], features=cut.features[keep], index=cut.index[keep], classes=cut.classes[keep]
    )
    total = int((cut.reference.classes == 2).sum())
    missed = scores.score(scores.tally(fewer, fewer.classes))
    assert missed["V.se"] == pytest.approx((total - 1) / total)
    assert missed["V.ppv"] == 1
    index = np.sort(np.append(cut.index, (cut.index[3] + cut.index[4]) // 2))
    named = np.insert(cut.classes, 4, 2)
    more = replace(cut, index=index, classes=named)
    false = scores.score(scores.tally(more, named))
    assert false["V.ppv"] == pytest.approx(total / (total + 1))
    assert false["V.se"] == 1


def test_beats_within_flutter_count_for_nothing(cuts: Cuts) -> None:
    cut = cuts["detector", "two"]
    span = np.array([[int(cut.index[4]) - 60, int(cut.index[9]) + 60]])
    fluttering = replace(cut, reference=replace(cut.reference, flutter=span))
    wrong = cut.classes.copy()
    wrong[4:10] = 4
    assert scores.score(scores.tally(cut, wrong))["accuracy"] < 1
    table = scores.tally(fluttering, wrong)
    assert scores.score(table)["accuracy"] == 1
    assert table.sum() == len(cut) - 6


def test_intervals_are_over_records_and_hold_the_estimate() -> None:
    rng = np.random.default_rng(1)
    tables = []
    for skill in (0.95, 0.9, 0.6, 0.85, 0.7, 0.99):
        known = rng.choice(3, 400, p=(0.8, 0.1, 0.1))
        said = np.where(rng.random(400) < skill, known, rng.integers(0, 3, 400))
        tables.append(table_of(known, said))
    found = scores.intervals(tables)
    whole = scores.score(np.sum(tables, axis=0))
    for name in ("accuracy", "S.se", "macro_f1_nsv"):
        low, high = found[name]
        assert low < whole[name] < high
    alike = scores.intervals([tables[0]] * 6)
    assert alike["accuracy"][0] == pytest.approx(alike["accuracy"][1])


def test_the_summary_leaves_record_232_out_of_one_of_the_scores_of_s() -> None:
    good = table_of(np.array([0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2]))
    bad = table_of(np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1]))
    tree = scores.summary({"100": good, "232": bad})
    assert tree["S"] == {"se": pytest.approx(3 / 5), "ppv": 1.0, "f1": pytest.approx(0.75)}
    assert tree["S_without_232"] == {"se": 1.0, "ppv": 1.0, "f1": 1.0}
    assert tree["F"] == {"se": None, "ppv": None, "f1": None}
    assert tree["records"]["232"]["S"]["se"] == pytest.approx(1 / 3)
    assert tree["beats"] == 9


def test_ec57_forgives_a_fusion_beat_named_v_and_a_q_named_s_and_nothing_else() -> None:
    known = np.array([2, 2, 2, 3, 4, 0, 1, 4, 0, 1])
    said = np.array([2, 2, 0, 2, 2, 2, 1, 1, 1, 2])
    table = table_of(known, said)
    table[5, 2] = 1  # a false beat named V
    found = scores.summary({"100": table})
    assert found["V"]["ppv"] == pytest.approx(2 / 7)
    assert found["ec57"]["V"] == {"se": pytest.approx(2 / 3), "ppv": pytest.approx(2 / 5), "f1": pytest.approx(4 / 8)}
    assert found["ec57"]["S"]["ppv"] == pytest.approx(1 / 2)
    nothing = scores.forgiving(np.zeros((6, 6), np.int64))
    assert nothing["V"] == {"se": None, "ppv": None, "f1": None}
