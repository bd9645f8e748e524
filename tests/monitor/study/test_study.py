"""Studies of one bed: they say what the ward says, of what it heard, and cost it nothing where nobody asks."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ecg.model.network import BeatNet
from ecg.model.shape import NetShape
from monitor.link.merging import studied
from monitor.link.protocol import BESIDE, Inside, Show, Studied, Study, Traced
from monitor.service.studies import MOST_STUDIES, Studies
from monitor.study import study as studying
from monitor.study.beside import MemoryBeside
from monitor.study.foretell import Foreteller
from monitor.study.insight import GATES, gates_of, occluded
from monitor.study.rows import begin_of, cut
from tests.support.shown_ward import WardLink, excerpt
from tests.support.studied import stand_ins
from trainer.data.rows import rows_of


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins(monkeypatch)


def seen(link: WardLink, seconds: float) -> Iterator[Studied]:
    """What the study of the first bed tells while so many seconds pass."""
    for _ in range(round(seconds / 0.25)):
        link.clock.now += 0.25
        told = link.snapshot()
        assert told is not None
        found = [detail.studied for detail in told.shown if detail.bed == "bed-1"]
        yield from (one for one in found if one is not None)


def whole(link: WardLink, seconds: float) -> Studied:
    """All of it as one."""
    made: Studied | None = None
    for one in seen(link, seconds):
        made = studied(made, one)
    assert made is not None
    return made


def asked(link: WardLink, **what: Any) -> None:
    link.send(Show(["bed-1"], 600.0, 30.0))
    link.send(Study("bed-1", **what))


@pytest.mark.parametrize("leads", [1, 2])
def test_the_wards_own_network_beside_itself_says_what_it_says(leads: int) -> None:
    link = WardLink(2, 8.0, leads=leads)
    asked(link, beside=["gru"], inside="own")
    told = whole(link, 13)
    assert told.inside is not None and told.inside.gates == ["reset", "update"]
    own = {beat.index: beat for beat in link.ward.beds["bed-1"].history.beats if beat.index >= told.since}
    assert len(own) > 12 and [one.index for one in told.inside.beats] == list(own)
    assert all(one.cls == own[one.index].cls for one in told.inside.beats)
    assert told.inside.beats[-1].hidden == [round(value, 4) for value in link.ward.recall(link.ward.beds["bed-1"])]
    assert told.inside.index == list(own)[-1] and len(told.inside.moves) == min(len(own) - 1, 24)
    if leads == 1:  # of two leads the look is into the one that leads, the verdict is of both
        assert told.inside.probability == pytest.approx(max(own[told.inside.index].probabilities), abs=1e-3)


def test_a_fresh_memory_beside_differs_at_first_and_agrees_later() -> None:
    link = WardLink(1, 10.0)
    asked(link, beside=list(BESIDE))
    told = whole(link, 20)
    (gru,) = [one for one in told.beside if one.model == "gru"]
    own = {beat.index: beat.probabilities for beat in link.ward.beds["bed-1"].history.beats}
    apart = [abs(one.probability - max(own[one.index])) for one in gru.verdicts]
    assert max(apart[:3]) > 0.01 > max(apart[-5:])
    assert told.missing == ["rnn"] and {one.model for one in told.beside} == {"lstm", "gru", "tutorial"}


def test_the_lectures_network_reads_the_same_beats_a_row_later() -> None:
    link = WardLink(1, 5.0)
    asked(link, beside=["gru", "tutorial"])
    told = whole(link, 10)
    gru, lecture = (next(one for one in told.beside if one.model == name) for name in ("gru", "tutorial"))
    there = [one.index for one in lecture.verdicts]
    assert there == [one.index for one in gru.verdicts][: len(there)] and 0 < len(gru.verdicts) - len(there) <= 3
    assert told.unread == 0


def test_a_row_cut_live_is_the_row_of_the_record() -> None:
    record = excerpt()
    rows = rows_of(record)
    assert record.annotations is not None
    signal, peaks = record.millivolts(0), record.annotations.index
    for number in range(20, 60, 7):
        near = peaks[np.abs(peaks - peaks[number]) <= 5 * record.rate]
        start = begin_of(int(peaks[number]), record.rate)
        part = signal[start : int(peaks[number] + 1.6 * record.rate)]
        row = cut(part, start, int(peaks[number]), record.rate, float(np.median(np.diff(near))))
        assert np.abs(row - rows.values[number]).max() < 0.01


def test_another_stream_is_another_study_and_another_model_is_not() -> None:
    link = WardLink(1, 5.0)
    asked(link, beside=list(BESIDE), inside="gru")
    first = whole(link, 4)
    link.send(Study("bed-1", list(BESIDE), "lstm"))
    second = whole(link, 4)
    assert second.number == first.number and second.since == first.since
    assert second.inside is not None and second.inside.model == "lstm"
    link.send(Study("bed-1", ["gru"]))
    assert whole(link, 4).number > first.number


def test_without_a_study_nobody_looks_on() -> None:
    link = WardLink(1, 5.0)
    asked(link, forecast=True)
    assert len(link.ward.watchers) == 1
    link.send(Study(""))
    assert link.ward.watchers == []
    asked(link, inside="own")
    link.view.close()
    assert link.ward.watchers == []


def test_more_studies_than_may_be_are_refused_in_a_sentence() -> None:
    link = WardLink(1, 5.0)
    others = [Studies(link.ward, at_once=True) for _ in range(MOST_STUDIES)]
    for one in others:
        one.ask(Study("bed-1", forecast=True))
    asked(link, forecast=True)
    assert "as many as may" in whole(link, 0.5).why
    others[0].close()
    asked(link, forecast=True)
    assert whole(link, 0.5).why == ""


def test_a_study_in_a_thread_of_its_own_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = Event()

    class Watched(MemoryBeside):
        def inside(self, beats: list[Traced]) -> Inside | None:
            made = super().inside(beats)
            if beats and beats[-1].index > 14 * 360:
                enough.set()
            return made

    monkeypatch.setattr(studying, "MemoryBeside", Watched)
    link, alone = WardLink(1, 8.0), WardLink(1, 8.0)
    link.view.studies = Studies(link.ward)
    found: list[list[Traced]] = []
    for one in (link, alone):
        asked(one, inside="own")
        told = [studied.inside for studied in seen(one, 8) if studied.inside is not None]
        assert enough.wait(30)
        told += [studied.inside for studied in seen(one, 0.25) if studied.inside is not None]
        found.append([traced for inside in told for traced in inside.beats])
    link.view.close()
    wanted = {traced.index: traced.hidden for traced in found[1]}
    assert len(found[0]) > 3 and all(wanted.get(traced.index, traced.hidden) == traced.hidden for traced in found[0])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_gates_and_the_occlusion_are_those_of_the_equations(cell: Any) -> None:
    torch.manual_seed(1)
    net = BeatNet(NetShape(cell=cell, memory=6, bottleneck=3, features=4)).eval()
    inputs, memory = torch.randn(5, 7), torch.randn(net.parts, 6)
    shares = gates_of(net, inputs[0], memory)
    assert len(shares) == len(GATES[net.shape.cell])
    if cell == "gru":  # h' = (1 - z) n + z h: with the new content held at zero, the update gate can be read off
        with torch.no_grad():
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
                getattr(net.memory, name)[12:] = 0
            kept = net.memory(inputs[None, :1], memory[:, None])[0][0, 0] / memory[0]
        assert shares[1] == pytest.approx(float(kept.mean()), abs=1e-5)
    cls, share, lost = occluded(net, inputs, memory)
    for left_out in range(4):
        rest: Tensor = inputs[[place for place in range(5) if place != left_out]]
        with torch.no_grad():
            given = torch.softmax(net.remember(rest[None], memory[:, None])[0][0, -1], dim=-1)
        assert share - lost[left_out] == pytest.approx(float(given[cls]), abs=1e-5)


def test_a_regular_wave_is_foretold_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(0, 40, 1 / 250)
    for signal, low, high in (
        (np.sin(2 * np.pi * 1.25 * time) + np.sin(2 * np.pi * 5 * time), 0.0, 0.05),
        (rng.normal(size=len(time)), 0.9, 1.2),
    ):
        foreteller, told = Foreteller(250.0), []
        for begin in range(0, len(time), 90):
            told += foreteller.take(signal[begin : begin + 90].astype(np.float32), 1000 + begin)
        near, far, error = foreteller.errors()["linear"]
        assert low <= error <= high and near <= far + 0.05
        assert foreteller.errors()["mean"][2] == pytest.approx(1.0, abs=0.1)
        assert told[-1].index <= 1000 + len(time) and len(told[-1].values) == 50
        assert 19.9 < (told[0].index - 1000) / 250 < 20.5


def test_what_a_bed_lacks_is_no_reason_to_fail() -> None:
    link = WardLink(1, 0.0)
    asked(link, beside=list(BESIDE), inside="own", forecast=True)
    link.clock.now += 0.25
    told = link.snapshot()
    assert told is not None and len(link.ward.watchers) == 1
    link.silent = {"bed-1"}
    assert all(one.why == "" for one in seen(link, 3))


def test_a_screen_that_comes_later_is_not_told_of_anothers_study() -> None:
    link = WardLink(2, 10.0)
    link.send(Show(["bed-2"], 600.0, 30.0))
    link.send(Study("bed-1", forecast=True))
    told = link.snapshot()
    assert told is not None and [detail.studied for detail in told.shown] == [None]


@pytest.mark.parametrize("where", ["_copy", "_load"])
def test_a_study_that_breaks_ends_alone_and_says_why(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise LookupError("no such thing")

    monkeypatch.setattr(studying.Study, where, breaks)
    link = WardLink(1, 5.0)
    link.view.studies = Studies(link.ward)
    asked(link, inside="own")
    told: list[Studied] = []
    for _ in range(100):  # a thread of its own ends: whichever look comes after it tells
        told += [one for one in seen(link, 1.0) if one.why]
        if told:
            break
    assert told[0].why == "studying this bed failed (LookupError: no such thing)"
    assert link.ward.watchers == [] and link.ward.ledger.beats > 5
    link.view.close()
