"""Where a bed's samples come from."""
