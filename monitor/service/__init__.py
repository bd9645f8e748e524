"""One running monitor: messages in, beats and alarms out, at the pace they come."""
