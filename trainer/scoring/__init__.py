"""Scores of networks and detectors on annotated records."""
