"""A record's own beats, for a while, in another rhythm: what a teacher asks of a bed that replays a record.

The stretch keeps its length, so that the record goes on after it where it would have been. Its baseline stays; its
beats are the record's own, at other times (`sequences`): normal ones with or without their P waves, P waves alone,
ventricular ones of this patient, or, where he has none, his normal beats widened and turned over. Waves without beats
are drawn as those of simulated hearts. The pulse follows the new beats. Truth follows from the same events.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg.errors import UserError
from ecg.records.leads import canonical, ecg_columns, kind_of
from ecg.records.record import Annotations, Record
from ecg.rhythms.donors import AFTER, BEFORE, Floats, beats_of, qrs_size, widened
from ecg.rhythms.morphing import fibrillate, flutter
from ecg.rhythms.plan import Wave
from ecg.rhythms.pulses import pulsed
from ecg.rhythms.sequences import MADE, MADE_EXTRA, Beat, known, label_of, possible, sequence
from ecg.rhythms.simulation import leads as projection
from ecg.rhythms.simulation.drones import Drone
from ecg.signal.p_waves import level

BEFORE_P: Final = 0.22
"""s before the R-peak at which a normal beat with its P wave begins."""
BEFORE_QRS: Final = 0.08
WIDER: Final = 1.8
SMALLER: Final = -0.9
"""A ventricular beat of a patient who has none: so much wider than his normal one, times this."""
NEAR: Final = 24
"""Beats of one kind, those nearest in time, of which the new ones are drawn."""
LEAST_P: Final = 0.04
SMALL_P: Final = 0.1
"""A lead whose P waves are smaller, as a share of its QRS, gets one of this size where P waves stand alone."""
P_PLACE: Final = 0.14
"""s of that one's peak before the R-peak."""
P_WIDTH: Final = 0.02
FLUTTER_SIZE: Final = 0.15
"""Peak to peak, as a share of the QRS."""
WHOLE_QRS: Final = 1.2
"""mV peak to peak of a lead on which the waves of fibrillation have the size of the simulated heart's."""
FADE_SECONDS: Final = 0.06
LEVEL_SECONDS: Final = 0.6
LARGEST: Final = 32000
MOST_SECONDS: Final = 600.0


def replaced(
    record: Record,
    peaks: NDArray[np.int64],
    classes: NDArray[np.str_],
    begin: int,
    end: int,
    rhythm: str,
    rate: float | None,
    seed: int,
) -> Record:
    """The record with another rhythm from sample `begin` to `end`. Raises UserError where that is not possible.

    peaks, classes: of its own beats, R-peaks in samples and AAMI classes. rate: 1/min, None for the rhythm's usual one.
    """
    if not possible(rhythm):
        raise UserError(
            f"a record's own beats cannot show {rhythm!r}: sinus gives the record back, and there are "
            f"{', '.join((*MADE, *MADE_EXTRA))}"
        )
    if not (classes == "N").any():
        raise UserError(f"record {record.name} has no normal beats to make {rhythm} of")
    rng = np.random.default_rng([seed, begin])
    near = np.diff(peaks[np.abs(peaks - begin) < 20 * record.rate])
    usual = float(np.median(near)) if len(near) else 0.8 * record.rate
    beats = sequence(rhythm, record.rate, begin, end, usual, rate, rng)
    samples = record.samples.copy()
    fade = _fade(end - begin, record.rate)
    ecg = ecg_columns(record.leads, record.units)
    waves = _waves(record, ecg, rhythm, end - begin, rng)
    normal = peaks[classes == "N"]
    for column in range(len(record.leads)):
        own = record.millivolts(column).astype(np.float64)
        if column in ecg:
            size = qrs_size(own, normal, record.rate)
            drawn = _baseline(own, begin, end, record.rate)
            drawn += _drawn(own, record.rate, peaks, classes, beats, begin, end, rhythm, rng)
            drawn += waves[:, ecg.index(column)] * size / WHOLE_QRS
        elif (kind := kind_of(record.leads[column], record.units[column] if record.units else "")) == "other":
            continue
        else:
            beating = [beat.at for beat in beats if beat.kind != "P"]
            stroke = known(rhythm).stroke
            drawn = pulsed(own, record.rate, normal, beating, begin, end, stroke, pressure=kind == "pressure")
        mixed = own[begin:end] + fade * (drawn - own[begin:end])
        adu = np.rint(mixed * record.gain[column] + record.baseline[column])
        samples[begin:end, column] = np.clip(adu, -LARGEST, LARGEST).astype(np.int16)
    notes = record.annotations
    truth = None if notes is None else _truth(notes, beats, begin, end, rhythm)
    return replace(record, samples=samples, annotations=truth)


def _waves(record: Record, ecg: list[int], rhythm: str, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """The waves of fibrillating ventricles in the ECG leads, as the simulated heart has them: float32 [count, ecg]."""
    drawn = np.zeros((count, len(ecg)), np.float32)
    if not known(rhythm).drone.startswith("vf"):
        return drawn
    axes = [_axis(record.leads[column], rng) for column in ecg]
    drone = Drone(record.rate, rng)
    drone.turn(0, known(rhythm).drone)
    drone.add(drawn, np.array(axes), 0)
    return drawn


def _axis(lead: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weights of the dipole in a lead; of one that the simulated heart has not, drawn at random."""
    name = canonical(lead)
    if name in projection.ECG:
        return np.array(projection.weights(name))
    drawn = rng.normal(size=3)
    return np.asarray(drawn / np.sqrt((drawn**2).sum()))


def _drawn(
    own: Floats,
    rate: float,
    peaks: NDArray[np.int64],
    classes: NDArray[np.str_],
    beats: list[Beat],
    begin: int,
    end: int,
    rhythm: str,
    rng: np.random.Generator,
) -> Floats:
    """The new beats of one lead above its baseline: float64 [end - begin]."""
    drawn = np.zeros(end - begin)
    normal = peaks[classes == "N"]
    alone = np.diff(peaks, append=len(own)) > AFTER * rate
    single, extra = peaks[alone & (classes == "N")], peaks[alone & (classes == "V")]
    single = single if len(single) else normal
    size = qrs_size(own, normal, rate)
    bodies = {
        "N": _bodies(own, rate, single, begin, BEFORE_P),
        "n": _bodies(own, rate, single, begin, BEFORE_QRS),
        "V": _bodies(own, rate, extra, begin, BEFORE),
    }
    bodies["P"] = _p_wave(bodies["N"], rate, size)
    if not len(bodies["V"]):
        bodies["V"] = SMALLER * widened(_bodies(own, rate, single, begin, BEFORE), WIDER, rate)
    lead = {"N": BEFORE_P, "n": BEFORE_QRS, "V": BEFORE, "P": BEFORE_P}
    for beat in beats:
        choice = bodies[beat.kind]
        if not len(choice):
            continue
        body = beat.size * choice[int(rng.integers(len(choice)))]
        first = beat.at - round(lead[beat.kind] * rate) - begin
        low, high = max(first, 0), min(first + len(body), len(drawn))
        if low < high:
            drawn[low:high] += body[low - first : high - first]
    places = np.array([beat.at - begin for beat in beats], np.int64)
    if known(rhythm).drone == "af" and len(beats) > 1:
        fibrillate(drawn, places, Wave(0, len(places) - 1, 0.08, 6.0), size, rate, rng)
    if known(rhythm).atria == "flutter" and len(beats) > 1:
        flutter(drawn, places, FLUTTER_SIZE * size, known(rhythm).ratio, rate)
    return drawn


def _p_wave(beats: Floats, rate: float, size: float) -> Floats:
    """The P wave of these normal beats, without the rest: [1, samples], or [0, samples] without beats.

    beats: from BEFORE_P s before their R-peaks on. size: of the QRS. Of several beats the median, so that fibrillation
    leaves nothing; a lead without P waves gets a small one.
    """
    length = round((BEFORE_P - BEFORE_QRS) * rate)
    if not len(beats) or length < 8:
        return np.zeros((0, max(length, 0)))
    wave = level(np.median(beats[:, :length], axis=0)[None])
    if np.ptp(wave) < LEAST_P * size:
        time = np.arange(length) / rate - (BEFORE_P - P_PLACE)
        wave = SMALL_P * size * np.exp(-0.5 * (time / P_WIDTH) ** 2)[None]
    return wave


def _bodies(own: Floats, rate: float, peaks: NDArray[np.int64], begin: int, before: float) -> Floats:
    """Beats nearest to `begin` that stand whole, from `before` s before their R-peaks on: [n, samples]."""
    first, last = round(before * rate), round(AFTER * rate)
    whole = peaks[(peaks >= first) & (peaks + last < len(own))]
    chosen = whole[np.argsort(np.abs(whole - begin), kind="stable")[:NEAR]]
    if not len(chosen):
        return np.zeros((0, first + last))
    beats = level(own[chosen[:, None] + np.arange(-first, last)])
    return np.asarray(beats[~np.isnan(beats).any(axis=1)])


def _baseline(own: Floats, begin: int, end: int, rate: float) -> Floats:
    """The level that the stretch wanders along: medians of short pieces, joined."""
    step = max(round(LEVEL_SECONDS * rate), 1)
    first, last = max(begin - step, 0), min(end + step, len(own))
    edges = np.arange(first, last, step)
    levels = np.array([np.nanmedian(own[at : at + step]) if at < last else 0.0 for at in edges])
    return np.asarray(np.interp(np.arange(begin, end), edges + step / 2, np.nan_to_num(levels)))


def _fade(length: int, rate: float) -> Floats:
    """0 at both ends of the stretch, 1 within it."""
    place = np.arange(length)
    return np.asarray(np.clip(np.minimum(place, place[::-1]) / (FADE_SECONDS * rate), 0, 1))


def _truth(notes: Annotations, beats: list[Beat], begin: int, end: int, rhythm: str) -> Annotations:
    """The record's annotations outside the stretch, the new beats within it, and a change of rhythm at both ends."""
    inside = (notes.index >= begin) & (notes.index < end)
    label = label_of(rhythm)
    before = notes.rhythm[notes.index < end]
    after = str(before[-1]) if len(before) else ""
    made = [(begin, "+", label), *((beat.at, beat.symbol, label) for beat in beats if beat.symbol)]
    if known(rhythm).drone.startswith("vf"):
        made += [(begin + 1, "[", label), (end - 1, "]", label)]
    made.append((end, "+", after))
    index = np.concatenate((notes.index[~inside], [at for at, _, _ in made])).astype(np.int64)
    symbol = np.concatenate((notes.symbol[~inside], [symbol for _, symbol, _ in made]))
    rhythms = np.concatenate((notes.rhythm[~inside], [label for _, _, label in made]))
    order = np.argsort(index, kind="stable")
    return Annotations(index[order], symbol[order], rhythms[order])


def known_beats(record: Record) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """R-peaks and AAMI classes of a record's beats: annotated, or else found by sleepecg and taken for normal."""
    if record.annotations is not None:
        _, peaks, classes = beats_of(record)
        return peaks, classes
    import sleepecg

    signal = np.nan_to_num(record.millivolts(record.best_lead()).astype(np.float64))
    found = np.asarray(sleepecg.detect_heartbeats(signal, record.rate), np.int64)
    return found, np.full(len(found), "N")
