"""The rules for beats compiled and as they are written say the same and remember the same, number for number."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from ecg.settings import AlarmSettings
from ecg.signal import compiled
from monitor.alarms import KINDS, BedAlarms, BedState, Change, Heard, Sign
from monitor.alarms.remembered import as_rows
from monitor.alarms.state import UNKNOWN
from monitor.alarms.told import Compiled, Rules, Written

RATE = 100.0
SETTINGS = [
    AlarmSettings(af_beats=16),
    AlarmSettings(
        af_beats=24,
        vt_beats=3,
        minimum_seconds=0.5,
        extreme_tachycardia_beats=12,
        frequent_v_per_minute=3,
        couplet=False,
    ),
    AlarmSettings(asystole=False, atrial_fibrillation=False, vt_rate=100),
]
PATTERNS = ["N", "V", "NV", "NNV", "NNNVV", "NS", "NF", "NNNNV", "VVVN", "Q", "VVVVVVN"]
INTERVALS = [25, 36, 45, 47, 60, 80, 110, 125, 180, 260, 420]
CHANCES = [0.08, 0.2, 0.08, 0.08, 0.2, 0.2, 0.2, 0.25, 0.5, 0.12]

pytestmark = pytest.mark.usefixtures("kernels_built")
Beat = tuple[int, int, int, list[float]]


class Patient:
    """A heart that changes from rhythm to rhythm, with signs of the signal and R-peaks of another lead."""

    def __init__(self, rng: np.random.Generator, slot: int) -> None:
        self.slot, self.beats, now = slot, list[Beat](), 50
        told = rng.random() < 0.8
        for _ in range(int(rng.integers(1, 14))):
            pattern, interval = str(rng.choice(PATTERNS)), int(rng.choice(INTERVALS))
            jitter, alike, v = (
                int(rng.choice([0, 0, 5, 40])),
                rng.choice([0.95, 0.6, 0.2]),
                rng.choice([0.02, 0.4, 0.9]),
            )
            for number in range(int(rng.integers(1, 40))):
                now += max(20, interval + int(rng.integers(-jitter, jitter + 1)))
                evidence = np.array([v, alike, alike, 0.2]) + rng.normal(0, 0.15, 4)
                evidence[2:][rng.random(2) < 0.3] = UNKNOWN
                known = evidence.tolist() if told and rng.random() < 0.97 else [UNKNOWN] * 4
                self.beats.append((slot, now, "NSVFQ".index(pattern[number % len(pattern)]), known))
        self.end = now + int(rng.integers(0, 2500))
        places = sorted(set(rng.integers(0, self.end, int(rng.integers(0, 40))).tolist()))
        self.signs = [(slot, sign(rng, index)) for index in places]
        steps = np.where(rng.random(self.end // 22) < 0.3, rng.choice([22, 30, 70, 300], self.end // 22), 40)
        self.peaks = [(slot, index) for index in np.cumsum(steps).tolist() if index < self.end]


def sign(rng: np.random.Generator, index: int) -> Sign:
    wave, unsteady, off, fast, still, alive, brisk, noisy, second, run = (rng.random(10) < CHANCES).tolist()
    return Sign(
        index,
        wave,
        unsteady,
        off,
        onset=max(index - 300, 0) if wave or fast else -1,
        tachycardia=fast and not wave,
        still=max(index - 200, 0) if still else -1,
        alive=alive,
        brisk=brisk,
        noisy=noisy,
        second=second,
        run=max(index - 250, 0) if run else -1,
        faults=int(rng.integers(16)) if noisy else 0,
        steady=int(rng.choice([0, 0, 40, 60, 140])),
    )


def upto(waiting: list[Any], at: int, until: int) -> list[Any]:
    """What is due until a sample, taken out. at: which of its parts is the sample."""
    due = [one for one in waiting if (one[at].index if isinstance(one[at], Sign) else one[at]) <= until]
    del waiting[: len(due)]
    return due


def meddle(rng: np.random.Generator, ways: list[Rules], slot: int, now: int) -> None:
    """A person, other limits or a gap: the machine of one bed is taken out and put back."""
    what, settings = int(rng.integers(6)), SETTINGS[int(rng.integers(len(SETTINGS)))]
    for rules in ways:
        bed = BedAlarms(settings, RATE, state=rules.state(slot))
        if what == 0:
            bed.acknowledge()
        elif what == 1:
            bed.interrupt(now)
        elif what == 2:
            bed.silence(10)
        rules.put(slot, bed)


def plain(state: BedState) -> Any:
    """What is remembered, to be compared: a spell is a set."""
    return msgspec.to_builtins(state) | {"spell": sorted(state.spell)}


def held_together(seed: int) -> list[Change]:
    """Both ways are told the same; the changes of both."""
    rng, fast = np.random.default_rng(seed), compiled.kernels()
    assert fast is not None
    patients = [Patient(rng, slot) for slot in range(int(rng.integers(1, 6)))]
    written, quick = Written(), Compiled(fast, len(patients))
    ways: list[Rules] = [written, quick]
    for patient, rules in ((patient, rules) for patient in patients for rules in ways):
        rules.put(patient.slot, BedAlarms(SETTINGS[(patient.slot + seed) % len(SETTINGS)], RATE))
    now, found = 0, list[Change]()
    while now < max(patient.end for patient in patients):
        now += int(rng.choice([20, 60, 150, 900, 5000]))
        signs = as_rows([one for patient in patients for one in upto(patient.signs, 1, now + 60)])
        peaks = np.array([one for patient in patients for one in upto(patient.peaks, 1, now + 30)], np.int64).reshape(
            -1, 2
        )
        beats = [one for patient in patients for one in upto(patient.beats, 1, now)]
        numbers = np.array([one[:3] for one in beats], np.int64).reshape(-1, 3)
        evidence = np.array([one[3] for one in beats]).reshape(-1, 4)
        heard = Heard(numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 1] + 55, evidence)
        clocks = np.array([(patient.slot, now) for patient in patients if rng.random() < 0.8], np.int64).reshape(-1, 2)
        for rules in ways:
            rules.sign(*signs)
        (noise, expected), (noisy, changes) = (rules.tell(peaks, heard, clocks) for rules in ways)
        assert changes == expected
        assert np.array_equal(noisy, noise)
        for patient in patients:
            assert plain(quick.state(patient.slot)) == plain(written.state(patient.slot))
            assert quick.episodes(patient.slot).active() == written.episodes(patient.slot).active()
        found += [change for _, change in changes]
        if rng.random() < 0.2:
            meddle(rng, ways, int(rng.integers(len(patients))), now)
    return found


def test_the_same_changes_and_the_same_memory_and_every_kind_is_among_them() -> None:
    found = [change for seed in range(24) for change in held_together(seed)]
    assert {change.kind for change in found if change.what == "onset"} == set(KINDS)
    assert {change.what for change in found} == {"onset", "again", "end", "clear", "held"}


def test_more_changes_than_are_taken_over_at_once_come_in_order() -> None:
    fast = compiled.kernels()
    assert fast is not None
    beats = np.arange(1, 6000) * 20
    heard = Heard(0 * beats, beats, np.where(np.arange(5999) % 3 < 2, 2, 0), beats, np.full((5999, 4), UNKNOWN))
    ways: list[Rules] = [Written(), Compiled(fast, 1)]
    found = []
    for rules in ways:
        rules.put(0, BedAlarms(SETTINGS[0], RATE))
        found.append(rules.tell(np.zeros((0, 2), np.int64), heard, np.array([[0, 200_000]]))[1])
    assert len(found[0]) > 2000
    assert found[1] == found[0]


def test_a_memory_that_holds_no_rules_numbers_is_refused() -> None:
    fast = compiled.kernels()
    assert fast is not None
    rules = Compiled(fast, 1)
    for damaged in (
        BedState(now=1 << 70, deadline=0, quiet_since=0, sign=Sign(0)),
        BedState(now=0, deadline=0, quiet_since=0, sign=Sign(0), rr=[100]),
    ):
        bed = BedAlarms(SETTINGS[0], RATE)
        bed.state = damaged
        with pytest.raises(ValueError, match=r"RR intervals|no memory"):
            rules.put(0, bed)
