"""What beds send and what the monitor makes of it, kept on disk: WFDB records, and events in SQLite. A sink."""
