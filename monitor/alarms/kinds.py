"""The kinds of alarm, their priorities, and which hides which.

Priorities after IEC 60601-1-8. The chains follow the bedside monitors' own: within a chain only the gravest is
shown, because one event (a run of V, say) fulfils the conditions of several alarms at once.
"""

from __future__ import annotations

from typing import Final, Literal

Priority = Literal["high", "medium", "low"]

PRIORITY: Final[dict[str, Priority]] = {
    "asystole": "high",
    "fibrillation": "high",
    "ventricular_tachycardia": "high",
    "extreme_tachycardia": "high",
    "extreme_bradycardia": "high",
    "nonsustained_vt": "medium",
    "ventricular_rhythm": "medium",
    "ventricular_run": "medium",
    "pause": "medium",
    "tachycardia": "medium",
    "bradycardia": "medium",
    "atrial_fibrillation": "medium",
    "cannot_analyse": "medium",
    "r_on_t": "low",
    "couplet": "low",
    "bigeminy": "low",
    "trigeminy": "low",
    "frequent_v": "low",
    "lead_off": "low",
}
"""Every kind with its priority, gravest first: the order in which alarms are listed."""

KINDS: Final = tuple(PRIORITY)

RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}

CHAINS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "asystole",
        "fibrillation",
        "ventricular_tachycardia",
        "nonsustained_vt",
        "ventricular_rhythm",
        "ventricular_run",
        "r_on_t",
        "couplet",
        "bigeminy",
        "trigeminy",
        "frequent_v",
    ),
    ("asystole", "fibrillation", "extreme_bradycardia", "pause", "bradycardia"),
    ("asystole", "fibrillation", "ventricular_tachycardia", "extreme_tachycardia", "tachycardia"),
    ("asystole", "fibrillation", "ventricular_tachycardia", "atrial_fibrillation"),
    ("cannot_analyse", "lead_off"),
)
"""Each chain gravest first. The technical alarms have one of their own: they hide nothing that a heart does."""

TECHNICAL: Final = ("cannot_analyse", "lead_off")
"""Kinds that say something of the signal, and nothing of the heart."""

GRAVER: Final[dict[str, frozenset[str]]] = {
    kind: frozenset(above for chain in CHAINS if kind in chain for above in chain[: chain.index(kind)])
    for kind in KINDS
}
"""The kinds that hide a kind."""
