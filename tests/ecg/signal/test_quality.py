"""The quality of a lead, and the pulse, in windows of block means."""

from __future__ import annotations

import numpy as np
import pytest

from ecg.signal import pulse, quality

BLOCKS = 60.0
PER_BLOCK = 6


def windows(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Block means and spreads of one signal at 360 Hz: [1, blocks]."""
    pieces = signal.reshape(1, -1, PER_BLOCK)
    return pieces.mean(axis=2), np.ptp(pieces, axis=2)


def beating(seconds: int = 4) -> np.ndarray:
    time = np.arange(seconds * 360) / 360
    return np.exp(-(((time % 0.8) - 0.4) ** 2) / (2 * 0.015**2))


def weighed(signal: np.ndarray, usual: float) -> tuple[quality.Quality, np.ndarray]:
    means, spreads = windows(signal)
    return quality.weigh(quality.measure(means, spreads, quality.lifts(means), 30), np.array([usual]))


def judged(signal: np.ndarray, usual: float = 0.0) -> quality.Quality:
    return weighed(signal, usual)[0]


def usual() -> float:
    return float(weighed(beating(), 0.0)[1][0])


def test_clean_beats_and_a_silent_line_can_be_analysed() -> None:
    assert not judged(beating()).bad[0]
    assert not judged(beating()).faults[0]
    assert judged(beating()).loud[0]
    silent = judged(np.linspace(0, 0.03, 1440), usual())
    assert not silent.bad[0]
    assert not silent.loud[0]
    assert silent.low[0]


@pytest.mark.parametrize("name", ["muscle", "hum", "wander", "rail", "jump"])
def test_what_is_no_ecg_is_bad(name: str) -> None:
    time = np.arange(1440) / 360
    rng = np.random.default_rng(2)
    spoilt = {
        "muscle": beating() + 0.4 * rng.standard_normal(1440),
        "hum": beating() + 0.5 * np.sin(2 * np.pi * 50 * time),
        "wander": 0.05 * beating() + 2 * np.sin(2 * np.pi * 0.4 * time),
        "rail": np.where(time > 3, 5.0, beating()),
        "jump": beating() + np.where(time > 2, 12.0, 0.0),
    }[name]
    found = judged(spoilt, usual())
    assert found.bad[0]
    assert {"hum": "muscle", "rail": "clipped", "wander": "clipped"}.get(name, name) in quality.named(
        int(found.faults[0])
    ).split()


def test_faults_are_named_and_strange_bits_are_not() -> None:
    assert quality.named(quality.Fault.MUSCLE | quality.Fault.CLIPPED) == "muscle clipped"
    assert quality.named(0) == quality.named(1 << 20) == ""


@pytest.mark.parametrize("per_minute", [35, 75, 150])
def test_a_regular_pulse_has_its_rate_and_one_that_stopped_has_none(per_minute: int) -> None:
    time = np.arange(8 * 360) / 360
    phase = time * per_minute / 60 % 1 * 60 / per_minute
    wave = np.where(phase < 0.1, phase / 0.1, np.exp(-(phase - 0.1) / 0.2))
    rate, steady, height = pulse.heard(*windows(wave), BLOCKS, np.zeros(1))
    assert rate[0] == steady[0] == pytest.approx(per_minute, rel=0.05)
    stopped = np.where(time < 3.5, wave, 0.0)
    assert pulse.heard(*windows(stopped), BLOCKS, height)[0][0] == 0


def test_hum_noise_and_a_far_smaller_wave_are_no_pulse() -> None:
    time = np.arange(8 * 360) / 360
    rng = np.random.default_rng(4)
    for signal in (np.sin(2 * np.pi * 50 * time), rng.standard_normal(len(time)), np.zeros(len(time))):
        assert pulse.heard(*windows(signal), BLOCKS, np.zeros(1))[0][0] == 0
    phase = time % 0.8
    small = 0.1 * np.where(phase < 0.1, phase / 0.1, np.exp(-(phase - 0.1) / 0.2))
    assert pulse.heard(*windows(small), BLOCKS, np.ones(1))[0][0] == 0


def beats_at(places: list[float], sizes: list[float]) -> np.ndarray:
    """Eight seconds of a pulse whose upstrokes of 100 ms begin at these seconds."""
    time = np.arange(8 * 360) / 360
    wave = np.zeros(len(time))
    for place, size in zip(places, sizes, strict=True):
        since = time - place
        shape = np.where(since < 0.1, since / 0.1, np.exp(-(since - 0.1) / 0.12))
        wave += np.where(since > 0, size * shape, 0)
    return wave


def test_an_uneven_pulse_of_beats_that_are_alike_goes_on_and_is_not_steady() -> None:
    places = [0.3, 1.2, 1.8, 3.0, 3.6, 4.7, 5.3, 6.4, 7.2]
    rate, steady, _ = pulse.heard(*windows(beats_at(places, [1.0] * 9)), BLOCKS, np.zeros(1))
    assert rate[0] == pytest.approx(70, abs=5)
    assert steady[0] == 0


def test_a_weak_last_beat_or_one_that_is_late_ends_a_steady_pulse_before_it_ends_the_pulse() -> None:
    even = [0.2 + 0.8 * k for k in range(10)]
    assert pulse.heard(*windows(beats_at(even, [1.0] * 10)), BLOCKS, np.zeros(1)).steady[0] == pytest.approx(75, abs=3)
    weak = pulse.heard(*windows(beats_at(even, [1.0] * 8 + [0.48, 1.0])), BLOCKS, np.zeros(1))
    late = pulse.heard(*windows(beats_at(even[:9], [1.0] * 9)), BLOCKS, np.zeros(1))
    for found in (weak, late):
        assert found.rate[0] == pytest.approx(75, abs=3)
        assert found.steady[0] == 0


def test_the_first_looks_count_alike_so_that_a_touched_electrode_is_soon_forgotten() -> None:
    usual = np.array([0.0])
    for look in range(30):
        wave = 20 * beating() if look < 2 else beating()
        means, spreads = windows(wave)
        _, usual = quality.weigh(
            quality.measure(means, spreads, quality.lifts(means), 30), usual, np.array([float(look)])
        )
    assert usual[0] < 3 * weighed(beating(), 0.0)[1][0]
