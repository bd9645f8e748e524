"""Alarms scored against annotations."""
