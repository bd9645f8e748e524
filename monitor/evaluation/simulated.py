"""Simulated hearts as records with their truth, for alarms that are right, held back and wrong.

Sinus rhythm at first, then a rhythm, an artefact, or both. The truth is the simulator's own.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ecg.records.record import Annotations, Record
from ecg.rhythms.simulation.orders import Orders
from ecg.rhythms.simulation.script import Script
from ecg.rhythms.simulation.simulation import Simulation

NAME: Final = "simulated"
"""Stands for all of them where records are named."""
RATE: Final = 250.0
LEADS: Final = ("II", "V1")
BEGIN_SECONDS: Final = 30.0
SECONDS: Final = 75.0
CASES: Final[dict[str, Orders]] = {
    "vt": Orders(rhythm="vt"),
    "vf": Orders(rhythm="vf"),
    "asystole": Orders(rhythm="asystole"),
    "svt": Orders(rhythm="svt"),
    "escape": Orders(rhythm="ventricular_escape"),
    "triplets": Orders(ectopy="triplets"),
    "muscle": Orders(artefacts={"muscle": 2.5}),
    "pauses-in-muscle": Orders(rhythm="pauses", artefacts={"muscle": 2.5}),
    "asystole-in-muscle": Orders(rhythm="asystole", artefacts={"muscle": 1.5}),
    "mains": Orders(artefacts={"mains50": 3.0}),
    "motion": Orders(artefacts={"motion": 1.5}),
    "motion-and-muscle": Orders(artefacts={"motion": 1.0, "muscle": 2.0}),
    "bigeminy-in-motion": Orders(ectopy="bigeminy", artefacts={"motion": 1.0}),
    "af-in-muscle": Orders(rhythm="af", artefacts={"muscle": 2.0}),
    "fine-vf": Orders(rhythm="vf_fine"),
    "torsades": Orders(rhythm="torsades"),
    "pacing-fails": Orders(rhythm="paced_failure_to_capture"),
}
"""What begins after BEGIN_SECONDS, by name."""


def records() -> list[Record]:
    """All cases, always the same."""
    begin = round(BEGIN_SECONDS * RATE)
    first = Orders(rhythm="sinus", rate=75.0)
    return [
        record_of(f"{NAME}-{name}", [(0, first), (begin, orders)], SECONDS, f"alarms {name}")
        for name, orders in CASES.items()
    ]


def record_of(name: str, script: list[tuple[int, Orders]], seconds: float, seed: str) -> Record:
    """A simulation as a record of two leads, with its truth as annotations. script: (sample, orders), in order."""
    simulation = Simulation(rate=RATE, names=LEADS, seed=seed, script=Script(script))
    chunk = simulation.next(round(seconds * RATE))
    return Record(
        name=name,
        rate=RATE,
        leads=LEADS,
        gain=np.array(simulation.gain),
        baseline=np.zeros(len(LEADS)),
        samples=chunk.samples,
        source="simulated",
        annotations=Annotations(
            np.array([mark.index for mark in chunk.marks], np.int64),
            np.array([mark.symbol for mark in chunk.marks], str),
            np.array([mark.rhythm for mark in chunk.marks], str),
        ),
    )
