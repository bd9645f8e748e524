"""A fit under way."""
