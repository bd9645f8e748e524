"""Random wards: patients drawn with the rhythms that hospital patients have.

Shares are those of the statements in the 21,837 ECGs of PTB-XL, rounded (P. Wagner et al., "PTB-XL, a large publicly
available electrocardiography dataset", Sci Data 7:154, 2020, tables 6 to 8): a hospital's ECGs of ten seconds, so
a ward's telemetry is only roughly like it. How often artefacts and attacks come is chosen, not measured.
"""

from __future__ import annotations

from random import Random
from typing import Final

from ecg.rhythms.scenario import LEADS, Scenario, Step
from ecg.rhythms.simulation.catalogue import ECTOPY, RHYTHMS

RHYTHM_SHARES: Final = (
    ("sinus", 0.760),
    ("af", 0.070),
    ("tachycardia", 0.038),
    ("bradycardia", 0.030),
    ("av_block_1", 0.036),
    ("rbbb", 0.025),
    ("lbbb", 0.024),
    ("paced", 0.010),
    ("paced_atrial", 0.0035),
    ("flutter", 0.0020),
    ("flutter_2_1", 0.0015),
    ("svt", 0.0002),
    ("wenckebach", 0.0005),
    ("mobitz_2", 0.0003),
    ("av_block_3", 0.0007),
)
"""Share of patients with each lasting rhythm."""
ECTOPY_SHARES: Final = (
    ("pvcs", 0.040),
    ("pvcs_multiform", 0.012),
    ("pacs", 0.018),
    ("bigeminy", 0.004),
    ("trigeminy", 0.001),
)
"""Share of patients with each kind of extra beats."""
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
