"""What must always hold, on real records: order, cuts, company, repeats, restarts and leaving change nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg.model.fusion import fused
from ecg.model.network import built
from ecg.records import library
from ecg.records.leads import ecg_columns
from ecg.records.record import Record
from ecg.settings import Config, MonitorSettings
from ecg.signal.path import SignalPath
from ecg.wire.messages import SCHEMA, BedStatus, Wave
from monitor.service import checkpoint as memory
from tests.support.wards import CARD, WEIGHTS, Run, messages, part, same, whole

NET = built(WEIGHTS)
LENGTH = 6480  # 18 s at 360 Hz
NAMES = ("100", "106", "119", "200", "203", "208", "214", "222", "223", "231")


@cache
def piece(number: int) -> Record:
    """Eighteen seconds of a record, or of the excerpt where the records are not on disk."""
    if library.missing(list(NAMES)):
        return part(library.read("excerpt"), number * 9000, number * 9000 + LENGTH)
    return part(library.read(NAMES[number]), number * 40_000, number * 40_000 + LENGTH)


@cache
def alone(number: int) -> Run:
    """That piece as the only bed, in one message."""
    return whole(piece(number))


@dataclass
class Sender:
    """One bed's messages, and how many of them have been sent."""

    name: str
    number: int
    waves: list[Wave] = field(repr=False)
    sent: int = 0
    left: bool = False
    repeated: int = field(default=0)

    @property
    def samples(self) -> int:
        """Samples sent so far."""
        return sum(len(wave.samples) // (2 * len(wave.leads)) for wave in self.waves[: self.sent])


BOUNDS = st.lists(st.integers(1, LENGTH - 1), max_size=9)


def sender(name: str, number: int, bounds: list[int]) -> Sender:
    """A bed that sends a piece cut at these samples."""
    return Sender(name, number, messages(piece(number), bounds))


def goodbye(one: Sender) -> BedStatus:
    """The final status of a bed that stops where it is."""
    wave = one.waves[0]
    return BedStatus(
        v=SCHEMA,
        state="offline",
        record=wave.record,
        source="wfdb",
        speed=1.0,
        rate=360.0,
        leads=wave.leads,
        stream=wave.stream,
        published=one.samples,
    )


def restarted(run: Run, config: Config) -> Run:
    """Another monitor with the memory of this one."""
    run.step()
    fresh = Run(config)
    memory.unpack(fresh.ward, memory.pack(run.ward))
    fresh.events = run.events
    return fresh


@given(st.data())
@settings(max_examples=70, deadline=None)
def test_no_order_cut_company_repeat_or_restart_changes_a_beat(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 4), "beds")
    numbers = data.draw(st.permutations(range(len(NAMES))), "pieces")
    senders = [sender(f"bed{place}", numbers[place], data.draw(BOUNDS)) for place in range(count)]
    leaver = data.draw(st.none() | st.integers(1, count - 1), "leaver")
    leaves_after = data.draw(st.integers(1, len(senders[leaver].waves))) if leaver is not None else 0
    config = Config(monitor=MonitorSettings(max_beds=count))
    run = Run(config)
    while waiting := [one for one in senders if one.sent < len(one.waves) and not one.left]:
        one = data.draw(st.sampled_from(waiting))
        run.ward.wave(one.name, one.waves[one.sent], 0)
        one.sent += 1
        action = data.draw(st.sampled_from(("wait", "step", "repeat", "restart")))
        if action == "repeat":
            again = one.waves[data.draw(st.integers(0, one.sent - 1))]
            run.ward.wave(one.name, again, 0)
            one.repeated += len(again.samples) // (2 * len(again.leads))
        if leaver is not None and one is senders[leaver] and one.sent == leaves_after:
            run.ward.status(one.name, goodbye(one), False)
            run.step()
            one.left = True
            joined = sender("newcomer", numbers[count], data.draw(BOUNDS))  # takes the slot that has become free
            run.ward.wave(joined.name, joined.waves[0], 0)
            joined.sent = 1
            senders.append(joined)
        if action == "restart":
            run = restarted(run, config)
        elif action == "step":
            run.step()
    for one in senders:
        if not one.left:
            run.ward.status(one.name, goodbye(one), False)
    run.finish()
    for one in senders:
        cut_short = one.samples < LENGTH
        same(
            run.of(one.name), (whole(part(piece(one.number), 0, one.samples)) if cut_short else alone(one.number)).beats
        )
    ledger = run.ward.ledger
    assert ledger.balances()
    assert ledger.received == sum(one.samples for one in senders)
    assert (ledger.lost, ledger.repeated) == (0, sum(one.repeated for one in senders))
    assert ledger.beats == len(run.beats)


@given(st.integers(0, len(NAMES) - 1), st.integers(0, LENGTH // 2), BOUNDS)
@settings(max_examples=60, deadline=None)
def test_the_stream_gives_what_the_whole_gives_for_any_record_from_any_sample(
    number: int, begin: int, bounds: list[int]
) -> None:
    record = part(piece(number), begin, LENGTH)
    columns = ecg_columns(record.leads)[:2]
    path, rows = SignalPath(2), np.arange(len(columns))
    path.reset(rows, np.full(len(rows), record.rate), np.zeros(len(rows), np.int64))
    found = path.step_leads(rows, [record.millivolts(column) for column in columns], np.zeros_like(rows)).beats
    leading = found.take(found.slot == 0)
    run = Run()
    for wave in messages(record, bounds):
        run.ward.wave("a", wave, 0)
        run.step()
    assert [beat.index for beat in run.beats] == leading.index.tolist()
    if run.beats:
        expected = []
        for row in rows:
            beats = found.take(found.slot == row)
            with torch.inference_mode():
                windows, features = torch.from_numpy(beats.windows)[None], torch.from_numpy(beats.features)[None]
                logits, after = NET.sequence(windows, features, NET.empty_memory(1))
            expected.append(torch.softmax(logits[0], dim=-1).numpy())
            assert np.allclose(run.ward.engine.save(int(row)), after[:, 0].numpy(), atol=1e-5)
        got = np.array([beat.probabilities for beat in run.beats])
        said = fused(expected[0], expected[1]) if len(rows) > 1 else expected[0]
        assert np.abs(got - CARD.doubt.weigh(said, leading.index / record.rate)).max() <= 1e-5
