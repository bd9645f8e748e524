"""Live ECG in; beats, alerts, alarms and a screen out."""

from ecg import __version__ as __version__
