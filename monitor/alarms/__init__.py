"""Alarms: from beats, signs of the signal and the sample clock to what is shown, sounded and logged.

A ward needs `WardAlarms` (monitor/alarms/ward.py says how to call it). docs/alarms.md defines every alarm.
"""

from monitor.alarms.bed import BedAlarms
from monitor.alarms.kinds import CHAINS, GRAVER, KINDS, PRIORITY
from monitor.alarms.limits import of_bed
from monitor.alarms.signs import SignalSigns
from monitor.alarms.state import UNKNOWN, BedState, Change, Evidence, Sign
from monitor.alarms.told import NO_BEATS, Heard
from monitor.alarms.ward import SavedAlarms, WardAlarms, beats_known_after

__all__ = [
    "CHAINS",
    "GRAVER",
    "KINDS",
    "NO_BEATS",
    "PRIORITY",
    "UNKNOWN",
    "BedAlarms",
    "BedState",
    "Change",
    "Evidence",
    "Heard",
    "SavedAlarms",
    "Sign",
    "SignalSigns",
    "WardAlarms",
    "beats_known_after",
    "of_bed",
]
