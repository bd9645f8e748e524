"""The rhythms and the ectopic beats that can be simulated, by name.

Labels are those of the MIT-BIH Arrhythmia Database where it has one, else those of its sister, the MIT-BIH Malignant
Ventricular Ectopy Database ("(VFIB", "(ASYS", "(NOD"); "(BIII" follows "(BII".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Atria = Literal["sinus", "flutter", "paced", "independent", "silent"]
Node = Literal["all", "wenckebach", "dropped", "ratio", "none"]
Clock = Literal["", "regular", "irregular", "twisting", "failing", "blind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """One rhythm.

    title: for people. label: of the truth. rate: beats per minute where none is asked for, within `low` to `high`.
    atria: who leads them. node: which atrial impulses reach the ventricles; ratio: of its block, drawn anew where there
    are several. pr: s, 0 for the bed's own. clock: a pacemaker of the ventricles' own.
    beat, symbol: shape of a ventricular activation and its MIT-BIH symbol. p: name of the atrial wave.
    retrograde: each beat sends a P wave back. drone: waves without beats. stroke: share of a normal beat's stroke.
    loose: random share of an interval. ectopic: may extra beats come in it?
    pauses: the sinus node stops now and then, after as many beats as `ratio` says.
    """

    title: str
    label: str
    rate: float = 75.0
    low: float = 20.0
    high: float = 300.0
    atria: Atria = "sinus"
    node: Node = "all"
    ratio: tuple[int, ...] = (1,)
    pr: float = 0.0
    clock: Clock = ""
    beat: str = "narrow"
    symbol: str = "N"
    p: str = "p"
    retrograde: bool = False
    drone: Literal["", "af", "vf", "vf_fine"] = ""
    stroke: float = 1.0
    loose: float = 0.01
    ectopic: bool = False
    pauses: bool = False


_own: Final = {"atria": "silent", "node": "none", "clock": "regular"}


def _clock(**changes: object) -> Rhythm:
    return Rhythm(**{**_own, **changes})  # type: ignore[arg-type]


RHYTHMS: Final[dict[str, Rhythm]] = {
    "sinus": Rhythm(title="Sinus rhythm", label="(N", high=180, ectopic=True),
    "bradycardia": Rhythm(title="Sinus bradycardia", label="(SBR", rate=42, high=60, ectopic=True),
    "tachycardia": Rhythm(title="Sinus tachycardia", label="(N", rate=130, low=100, high=200, ectopic=True),
    "pauses": Rhythm(
        title="Sinus pauses",
        label="(N",
        rate=65,
        high=120,
        loose=0.02,
        ratio=(6, 8, 10),
        pauses=True,
    ),
    "af": Rhythm(
        title="Atrial fibrillation",
        label="(AFIB",
        rate=95,
        low=40,
        high=200,
        atria="silent",
        node="none",
        clock="irregular",
        drone="af",
        stroke=0.9,
        ectopic=True,
    ),
    "flutter_2_1": Rhythm(
        title="Atrial flutter 2:1",
        label="(AFL",
        rate=150,
        low=110,
        high=175,
        atria="flutter",
        node="ratio",
        ratio=(2,),
        p="flutter",
    ),
    "flutter_3_1": Rhythm(
        title="Atrial flutter 3:1",
        label="(AFL",
        rate=100,
        low=75,
        high=117,
        atria="flutter",
        node="ratio",
        ratio=(3,),
        p="flutter",
    ),
    "flutter_4_1": Rhythm(
        title="Atrial flutter 4:1",
        label="(AFL",
        rate=75,
        low=55,
        high=88,
        atria="flutter",
        node="ratio",
        ratio=(4,),
        p="flutter",
    ),
    "flutter": Rhythm(
        title="Atrial flutter, variable block",
        label="(AFL",
        rate=100,
        low=75,
        high=117,
        atria="flutter",
        node="ratio",
        ratio=(2, 3, 3, 4),
        p="flutter",
    ),
    "svt": _clock(
        title="Supraventricular tachycardia",
        label="(SVTA",
        rate=185,
        low=130,
        high=260,
        symbol="A",
        retrograde=True,
        loose=0.006,
        stroke=0.7,
    ),
    "junctional": _clock(
        title="Junctional escape rhythm", label="(NOD", rate=45, low=30, high=110, symbol="j", retrograde=True
    ),
    "ventricular_escape": _clock(
        title="Ventricular escape rhythm", label="(IVR", rate=33, low=15, high=45, beat="slow", symbol="E", stroke=0.8
    ),
    "idioventricular": _clock(
        title="Accelerated idioventricular rhythm",
        label="(IVR",
        rate=75,
        low=40,
        high=110,
        beat="apex",
        symbol="V",
        stroke=0.75,
        atria="independent",
    ),
    "vt": _clock(
        title="Ventricular tachycardia",
        label="(VT",
        rate=180,
        low=110,
        high=250,
        beat="outflow",
        symbol="V",
        stroke=0.45,
        atria="independent",
        loose=0.012,
    ),
    "torsades": _clock(
        title="Torsades de pointes",
        label="(VT",
        rate=230,
        low=180,
        high=280,
        beat="twist_a",
        symbol="V",
        clock="twisting",
        stroke=0.15,
        loose=0.05,
    ),
    "vf": Rhythm(title="Ventricular fibrillation, coarse", label="(VFIB", atria="silent", node="none", drone="vf"),
    "vf_fine": Rhythm(
        title="Ventricular fibrillation, fine", label="(VFIB", atria="silent", node="none", drone="vf_fine"
    ),
    "asystole": Rhythm(title="Asystole", label="(ASYS", atria="silent", node="none"),
    "standstill": Rhythm(title="Ventricular standstill: P waves alone", label="(ASYS", rate=80, node="none"),
    "av_block_1": Rhythm(title="AV block, first degree", label="(BI", rate=70, high=110, pr=0.32, ectopic=True),
    "wenckebach": Rhythm(
        title="AV block, second degree, Mobitz 1", label="(BII", rate=75, high=110, node="wenckebach", ratio=(4, 4, 5)
    ),
    "mobitz_2": Rhythm(
        title="AV block, second degree, Mobitz 2",
        label="(BII",
        rate=78,
        high=110,
        node="dropped",
        ratio=(2, 3, 3, 4),
        beat="rbbb",
        symbol="R",
    ),
    "av_block_3": _clock(
        title="AV block, third degree",
        label="(BIII",
        rate=36,
        low=20,
        high=55,
        beat="slow",
        symbol="E",
        atria="independent",
        stroke=1.1,
    ),
    "lbbb": Rhythm(
        title="Left bundle branch block", label="(N", rate=72, high=150, beat="lbbb", symbol="L", ectopic=True
    ),
    "rbbb": Rhythm(
        title="Right bundle branch block", label="(N", rate=72, high=150, beat="rbbb", symbol="R", ectopic=True
    ),
    "paced_atrial": Rhythm(title="Atrial pacing", label="(P", rate=70, low=40, high=120, atria="paced", loose=0.0),
    "paced": _clock(
        title="Ventricular pacing",
        label="(P",
        rate=70,
        low=40,
        high=120,
        beat="apex",
        symbol="/",
        atria="independent",
        loose=0.0,
        stroke=0.9,
    ),
    "paced_failure_to_capture": _clock(
        title="Pacing, failure to capture",
        label="(P",
        rate=70,
        low=40,
        high=120,
        beat="apex",
        symbol="/",
        atria="independent",
        clock="failing",
        loose=0.0,
        stroke=0.9,
    ),
    "paced_failure_to_sense": Rhythm(
        title="Pacing, failure to sense", label="(P", rate=76, low=50, high=110, clock="blind"
    ),
}

INDEPENDENT_RATE: Final = 82.0
"""Sinus rate of atria that the ventricles do not follow, 1/min."""
PACER_RATE: Final = 70.0
"""Rate of a pacemaker that does not sense, 1/min."""
ESCAPE_SECONDS: Final = 1.6
"""Where nothing comes for so long between paced beats, the ventricles beat by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ectopy:
    """Extra beats.

    atrial: they begin there. many: in a row. after: other beats before them, 0: at random, `per_minute` times.
    coupling: share of the RR interval after which they come; on_t: on the T wave instead. foci: their shapes.
    aberrant: early atrial beats that find a bundle branch blocked. label: of the truth, "" for the rhythm's own.
    """

    title: str
    label: str = ""
    atrial: bool = False
    many: int = 1
    after: int = 0
    per_minute: float = 6.0
    coupling: float = 0.56
    on_t: bool = False
    foci: tuple[str, ...] = ("outflow",)
    aberrant: bool = False


ECTOPY: Final[dict[str, Ectopy]] = {
    "none": Ectopy(title="None", per_minute=0.0),
    "pacs": Ectopy(title="Atrial premature beats", atrial=True, coupling=0.65),
    "pacs_aberrant": Ectopy(
        title="Atrial premature beats with aberrant conduction", atrial=True, coupling=0.56, aberrant=True
    ),
    "pvcs": Ectopy(title="Ventricular premature beats, uniform"),
    "pvcs_multiform": Ectopy(
        title="Ventricular premature beats, multiform", per_minute=9.0, foci=("outflow", "left", "apex")
    ),
    "couplets": Ectopy(title="Ventricular couplets", many=2, per_minute=4.0),
    "triplets": Ectopy(title="Short runs of ventricular tachycardia", many=4, per_minute=3.0, coupling=0.52),
    "bigeminy": Ectopy(title="Ventricular bigeminy", label="(B", after=1),
    "trigeminy": Ectopy(title="Ventricular trigeminy", label="(T", after=2),
    "r_on_t": Ectopy(title="R on T", on_t=True, foci=("left",), per_minute=6.0),
}
"""Extra beats by name. Their labels are those of the truth; rhythms that have extra beats are marked `ectopic`."""
