"""Made-up versions of annotated records."""
