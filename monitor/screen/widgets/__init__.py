"""Widgets that views are made of."""
