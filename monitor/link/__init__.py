"""The seam between a running service and its screens."""
