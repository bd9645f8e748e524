"""Live ECG in; beats, alerts, alarms and a screen out."""

__version__ = "0.1.0"
