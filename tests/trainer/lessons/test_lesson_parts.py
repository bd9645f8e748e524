"""The parts that lessons stand on, by cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecg.records.aami import CLASS_OF
from ecg.records.library import read
from tests.support.annotated_pieces import annotated
from trainer.data.rows import rows_of
from trainer.lessons import amnesia, distortion, edge, handover, imbalance, rnn, split, text, trend, vanishing
from trainer.lessons.frame import beats, hearts, learning, sequences


def test_an_rnn_by_hand_is_torchs_with_any_weights() -> None:
    rng = np.random.default_rng(0)
    inputs, carry, take, bias = (rng.normal(size=size) for size in ((50, 3), (5, 5), (5, 3), (5,)))
    by_hand = rnn.by_hand(inputs, carry, take, bias)
    assert np.abs(by_hand - rnn.by_torch(inputs, carry, take, bias)).max() < 1e-12
    assert np.abs(by_hand).max() > 0.5


def test_an_impulse_is_remembered_as_long_as_its_weight_says() -> None:
    impulse = np.zeros((200, 1))
    impulse[0] = 1e-3
    echo = rnn.by_hand(impulse, np.array([[0.9]]), np.array([[1.0]]), np.zeros(1))
    assert rnn.span(echo[:, 0]) == int(np.log(rnn.TRACE) / np.log(0.9))


def test_the_last_value_of_a_history_is_drawn_alike_whatever_came_before() -> None:
    for make in (amnesia.pressures, amnesia.intervals):
        values, kinds = make(amnesia.Settings(), np.random.default_rng(0), 20_000)
        last = [values[kinds == kind][:, -1] for kind in (0, 1)]
        first = [values[kinds == kind][:, 0].mean() for kind in (0, 1)]
        assert abs(last[0].mean() - last[1].mean()) < 0.05 * last[0].std()
        assert abs(last[0].std() / last[1].std() - 1) < 0.05
        assert first[1] > 1.1 * first[0]


def test_a_gradient_grows_with_every_step_by_the_size_of_orthogonal_weights() -> None:
    settings = vanishing.Settings(scale=2.0)
    ratio = vanishing.grown(settings, 10) / vanishing.grown(settings, 9)
    assert 1 < ratio < 4
    assert vanishing.grown(vanishing.Settings(scale=0.5), 10) < 1


def test_a_gradients_reach_is_its_last_step_above_the_limit() -> None:
    norms = np.array([1.0, 0.5, 1e-4, 2e-3, 1e-5])
    assert vanishing.reach(norms) == 4


def test_halves_by_patient_share_no_patient_and_random_ones_do() -> None:
    known = beats.labelled(hearts.ward(4, 40, 0))
    at_random, by_patient = split.halves(known, 0)
    assert not set(known.patient[by_patient]) & set(known.patient[~by_patient])
    assert set(known.patient[at_random]) & set(known.patient[~at_random]) == {0, 1, 2, 3}


def test_simulated_hearts_are_cut_as_annotated_and_come_early_where_they_are_s_or_v() -> None:
    (record,) = hearts.ward(1, 200, 3)
    known = beats.labelled([record])
    notes = record.annotations
    assert notes is not None
    assert len(known) == 200
    wanted = ["NSV".index(CLASS_OF[str(symbol)]) for symbol in notes.symbol]
    assert known.classes.tolist() == wanted
    relative = known.relative[8:, 0]
    ectopic = known.classes[8:] > 0
    assert ectopic.sum() > 5
    assert relative[ectopic].max() < np.median(relative[~ectopic])


def test_hearts_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    one, again, other = (hearts.ward(1, 20, seed)[0].samples for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_the_first_stage_of_a_distortion_is_the_published_row() -> None:
    record = annotated("one", 0)
    made, classes = distortion.stages(record)
    rows = rows_of(record)
    assert np.allclose((made["row"] + 1) / 2, rows.values[rows.classes < 3], atol=1e-6)
    assert len(classes) == len(made["usual"])
    assert made["usual"].shape[1] == made["p_wave"].shape[1] + 2


def test_calibration_error_is_the_gap_between_what_was_said_and_what_was_right() -> None:
    given = np.array([[0.95, 0.05]] * 10 + [[0.65, 0.35]] * 10, np.float32)
    known = np.array([0] * 10 + [0] * 5 + [1] * 5)
    error, table = imbalance.calibration(given, known)
    assert error == pytest.approx((0.05 + 0.15) / 2, abs=1e-6)
    assert table[:, 2].tolist() == [10, 10]


def test_macro_f1_leaves_out_classes_that_do_not_occur() -> None:
    known, named = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert learning.macro_f1(known, named, 3) == pytest.approx((2 / 3 + 0.8) / 2)


def test_sequences_hold_beats_of_one_patient_in_order() -> None:
    known = beats.labelled(hearts.ward(3, 70, 0))
    (windows, rr), classes = sequences.cut(known, 32)
    assert windows.shape[:2] == rr.shape[:2] == classes.shape == (6, 32)
    assert np.array_equal(classes[2].numpy(), known.classes[known.patient == 1][:32])


def test_a_wiped_bed_counts_its_beats_from_the_wipe() -> None:
    since = handover._beats_since(np.array([5, 10, 100, 110, 120, 205]), np.array([100, 200]))
    assert since.tolist() == [0, 1, 0, 1, 2, 0]


def test_beats_heard_without_a_wipe_are_those_of_the_excerpt() -> None:
    record = read("excerpt")
    signal = record.millivolts(0)[: round(20 * record.rate)]
    whole = handover._heard(signal, record.rate, np.zeros(0, np.int64))
    cut = handover._heard(signal, record.rate, np.array([round(10 * record.rate)]))
    assert len(whole) > 20
    assert len(np.intersect1d(whole.index, cut.index)) >= len(whole) - 2


def test_twin_notes_hold_the_same_pieces_and_the_other_answer() -> None:
    for language in text.OTHERS:
        notes = text.make(language, 40, np.random.default_rng(0))
        for (note, answer), (twin, other) in zip(notes[::2], notes[1::2], strict=True):
            assert sorted(note) == sorted(twin)
            assert note != twin
            assert {answer, other} == {0, 1}


def test_a_memorys_multiplications_are_those_of_the_shipped_network() -> None:
    net = beats.shipped("memory-gru")
    counted = []

    def count(layer: torch.nn.Module, inputs: tuple[torch.Tensor, ...], _output: object) -> None:
        if isinstance(layer, torch.nn.Conv1d):
            steps = (inputs[0].shape[-1] + 2 * int(layer.padding[0]) - layer.kernel_size[0]) // layer.stride[0] + 1
            counted.append(steps * layer.weight.numel())
        elif isinstance(layer, torch.nn.GRU):
            steps = inputs[0].shape[1]
            counted.append(steps * sum(one.numel() for name, one in layer.named_parameters() if "weight" in name))
        elif isinstance(layer, torch.nn.Linear):
            counted.append(layer.weight.numel())

    for layer in net.modules():
        layer.register_forward_hook(count)
    shape = net.shape
    with torch.no_grad():
        net(torch.zeros(1, shape.channels, shape.window), torch.zeros(1, shape.features), net.empty_memory(1))
    assert edge.macs(net) == sum(counted)


def course(pressure: list[float], begin: int, shock: int) -> trend.Courses:
    signs = np.zeros((1, len(pressure), 3), np.float32)
    signs[0, :, 2] = pressure
    return trend.Courses(signs, np.array([shock]), np.array([begin]))


def test_an_alarm_leads_a_shock_by_the_time_between_them() -> None:
    one = course([90.0] * 24 + [60.0] * 24, 12, 48)
    over = trend.danger(one, 6)["value"] >= -70
    lead, found, false = trend.judge(over, one)
    assert (lead, found, false) == (24 / trend.HOUR, 1.0, 0.0)


def test_an_alarm_before_a_decline_is_false_and_counted_once() -> None:
    one = course([60.0] * 6 + [90.0] * 42, 24, 48)
    over = trend.danger(one, 6)["value"] >= -70
    assert over.sum() == 6
    assert trend.crossings(over, one) == pytest.approx(1440 / (24 * trend.MINUTES))
    assert trend.judge(over, one)[:2] == (0.0, 0.0)


def test_a_change_is_relative_to_the_patient_and_a_value_is_not() -> None:
    high, low = course([130.0] * 24 + [100.0] * 24, 24, 48), course([90.0] * 24 + [60.0] * 24, 24, 48)
    changes = [trend.danger(one, 6)["change"].max() for one in (high, low)]
    assert changes[0] == pytest.approx(changes[1]) == pytest.approx(30)
    assert trend.danger(high, 6)["value"].max() < trend.danger(low, 6)["value"].max()
