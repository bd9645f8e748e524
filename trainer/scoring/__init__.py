"""Networks named and scored on annotated records."""
