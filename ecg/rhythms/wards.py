"""Random wards: patients drawn with the rhythms that hospital patients have.

Shares are those of the statements in the 21,837 ECGs of PTB-XL (P. Wagner et al., "PTB-XL, a large publicly available
electrocardiography dataset", Sci Data 7:154, 2020), as the PhysioNet/CinC Challenge 2021 counts them (column PTB_XL of
`dx_mapping_scored.csv` and `dx_mapping_unscored.csv` in github.com/physionetchallenges/evaluation-2021): a hospital's
ECGs of ten seconds, so a ward's telemetry is only roughly like it. Where one statement stands for several rhythms here,
its division among them is assumed. How often artefacts and attacks come is assumed too, not measured.
"""

from __future__ import annotations

from random import Random
from typing import Final

from ecg.rhythms.scenario import LEADS, Scenario, Step
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS

ECGS: Final = 21_837
COUNTS: Final = (
    ("af", 1514),
    ("tachycardia", 826),
    ("bradycardia", 637),
    ("av_block_1", 797),
    ("rbbb", 542),
    ("lbbb", 536),
    ("paced", 222),  # these two: 296 paced
    ("paced_atrial", 74),
    ("flutter", 45),  # these two: 73 in flutter
    ("flutter_2_1", 28),
    ("svt", 51),  # 27, and 24 paroxysmal
    ("wenckebach", 9),  # these two: 14 blocks of second degree
    ("mobitz_2", 5),
    ("av_block_3", 16),
)
"""ECGs with each lasting rhythm; all others are in sinus rhythm here."""
ECTOPY_COUNTS: Final = (
    ("pvcs", 900),  # these two: 1,154 with ventricular ectopics
    ("pvcs_multiform", 254),
    ("pacs", 398),
    ("bigeminy", 82),
    ("trigeminy", 20),
)
"""ECGs with each kind of extra beats."""
RHYTHM_SHARES: Final = (
    ("sinus", 1 - sum(count for _, count in COUNTS) / ECGS),
    *((name, count / ECGS) for name, count in COUNTS),
)
ECTOPY_SHARES: Final = tuple((name, count / ECGS) for name, count in ECTOPY_COUNTS)
"""Shares of patients."""
ATTACK_SHARE: Final = 0.02
ATTACKS: Final = (("svt", 60.0, 5), ("af", 300.0, 5), ("vt", 12.0, 3), ("pauses", 60.0, 3), ("vf", 30.0, 1))
"""Share of patients with attacks in their lap, and of what: rhythm, s at most, weight."""
NOISY_SHARE: Final = 0.3
QUIET_SECONDS: Final = (60.0, 400.0)
NOISE: Final = (("motion", 1.5), ("muscle", 1.5), ("wander", 2.0))
LAP_SECONDS: Final = 900.0


def patient(seed: int, number: int) -> Scenario:
    """Patient `number` of the ward with that seed: always the same one."""
    rng = Random(f"ward {seed} patient {number}")
    name = rng.choices([name for name, _ in RHYTHM_SHARES], [share for _, share in RHYTHM_SHARES])[0]
    rhythm = RHYTHMS[name]
    rate = _rate(name, rng)
    extra = rng.choices(
        ["none", *(kind for kind, _ in ECTOPY_SHARES)],
        [1 - sum(share for _, share in ECTOPY_SHARES), *(share for _, share in ECTOPY_SHARES)],
    )[0]
    if not rhythm.ectopic:
        extra = "none"
    per_minute = round(min(rng.lognormvariate(1.2, 0.8), 30.0), 1) if ECTOPY[extra].per_minute else None
    always = Step(
        rhythm=name,
        rate=rate,
        ectopy=extra,
        per_minute=per_minute,
        systolic=round(min(max(rng.gauss(125, 18), 80), 190)),
        breaths=round(min(max(rng.gauss(16, 3), 8), 30)),
        variability=round(min(max(rng.gauss(0.8, 0.35), 0.1), 2), 2),
        qt=round(min(max(rng.gauss(0.41, 0.022), 0.34), 0.5), 3),
        seconds=round(rng.uniform(5, 60), 2),
    )
    steps = [always]
    noisy, attacked = rng.random() < NOISY_SHARE, rng.random() < ATTACK_SHARE
    passed = float(always.seconds or 0)
    while passed < LAP_SECONDS:
        quiet = round(rng.uniform(*QUIET_SECONDS), 2)
        steps.append(Step(seconds=quiet, rate=_drift(rate, name, rng), over=min(quiet, 60)))
        if noisy and rng.random() < 0.6:
            kind, most = rng.choice(NOISE)
            steps.append(Step(seconds=round(rng.uniform(4, 40), 2), artefacts={kind: round(rng.uniform(0.4, most), 2)}))
            steps.append(Step(seconds=round(rng.uniform(5, 30), 2), artefacts={}))
        if attacked and rhythm.ectopic and rng.random() < 0.5:
            kind, longest, _ = rng.choices(ATTACKS, [weight for *_, weight in ATTACKS])[0]
            steps.append(Step(seconds=round(rng.uniform(0.3, 1) * longest, 2), rhythm=kind, rate=RHYTHMS[kind].rate))
            steps.append(Step(seconds=round(rng.uniform(20, 60), 2), rhythm=name, rate=rate))
        passed = sum(float(step.seconds or 0) for step in steps)
    title = rhythm.title + (f", {ECTOPY[extra].title.lower()}" if extra != "none" else "")
    return Scenario(title=title, step=steps, then="repeat", leads=list(LEADS), name=name.replace("_", "-"))


def _rate(name: str, rng: Random) -> float:
    """A rate of this rhythm, 1/min."""
    rhythm = RHYTHMS[name]
    usual = rng.gauss(rhythm.rate, 0.12 * rhythm.rate)
    low, high = max(rhythm.low, 0.7 * rhythm.rate), min(rhythm.high, 1.3 * rhythm.rate)
    return round(min(max(usual, low), high), 1)


def _drift(rate: float, name: str, rng: Random) -> float:
    """The rate some minutes later."""
    rhythm = RHYTHMS[name]
    if name.startswith("paced"):
        return rate
    return round(min(max(rate * rng.uniform(0.92, 1.1), rhythm.low), rhythm.high), 1)
