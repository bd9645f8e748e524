"""The lecture on recurrent networks as commands: one module a lesson, and its page in two languages in pages/.

A lesson measures; its page tells. Every claim of a page is computed from the numbers of the run it stands beside.
"""

from __future__ import annotations

from typing import Final

LESSONS: Final = (
    "amnesia",
    "rnn",
    "vanishing",
    "gates",
    "gru",
    "split",
    "distortion",
    "imbalance",
    "bilstm",
    "handover",
    "edge",
    "attention",
    "forecast",
    "trend",
    "text",
    "rhythms",
)
"""Names of the lessons, in the order in which they build upon one another; each is a module of this package."""
