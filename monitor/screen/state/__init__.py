"""The screen's own state: histories of beds, and the clock of the sweep."""
