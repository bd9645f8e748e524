"""The rhythms that the rhythm head of a network tells apart: what leads the heart at a beat."""

from __future__ import annotations

from typing import Final

RHYTHMS: Final = ("sinus", "fibrillation", "atrial", "ventricular", "noise")
"""sinus: none of the others. fibrillation: of the atria, or flutter. atrial, ventricular: runs of three S or V beats
and more. noise: nothing but noise. In order of the head's outputs."""
SINUS, FIBRILLATION, ATRIAL, VENTRICULAR, NOISE = range(len(RHYTHMS))
UNKNOWN: Final = -1
