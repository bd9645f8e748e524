"""The domain: wave messages in, beats, alarms and resets out. No JSON, no snapshot, no clock of its own."""
