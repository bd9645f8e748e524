"""Grading: what another program publishes about beds that are being sent, held against their truth."""
