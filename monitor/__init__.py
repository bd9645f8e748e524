"""Live ECG in; beats, alerts, alarms and a screen out."""
