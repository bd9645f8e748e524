"""Profiles of the alarms: sets of limits that go by one name."""

from __future__ import annotations

from typing import Final

PROFILES: Final[dict[str, dict[str, float]]] = {
    "bedside": {},
    "challenge2015": {
        "asystole_seconds": 4.0,
        "vt_beats": 5,
        "vt_rate": 100.0,
        "extreme_tachycardia_rate": 140.0,
        "extreme_tachycardia_beats": 12,
        "extreme_bradycardia_rate": 40.0,
        "extreme_bradycardia_beats": 4,
    },
}
"""The limits that a profile of [alarms] puts in place of the defaults; a value of one's own goes before both.

challenge2015: the definitions of the PhysioNet/CinC Challenge 2015 (Clifford et al., Computing in Cardiology
2015:273-276). Its fibrillation of 4 s is what a look at the signal takes in any profile. Its tachycardia of 17 beats
and bradycardia of 5 are met by 12 and 4 here: the experts called shorter ones true, and a beat is known half a second
late, while the challenge hears nothing after the alarm. In either half of its records that scores higher.
"""
