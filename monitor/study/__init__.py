"""Studies: what other networks make of one bed, a look into a memory, and the next second, for the screen that asks."""
