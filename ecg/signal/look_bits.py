"""What a half-second look at one lead shows, as bits of one number; above them stands why it is bad."""

from __future__ import annotations

from typing import Final

FLAGS: Final = 7
"""Bits; `ecg.signal.quality.Fault` stands above them."""
WAVE, FAITHFUL, CLEAR, UNSTEADY, BAD, LOUD, LOW = (1 << place for place in range(FLAGS))
ABSENT: Final = BAD
"""A lead that is not there bears no witness."""
