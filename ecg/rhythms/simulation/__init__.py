"""A simulated heart: events in time, drawn as waves of a dipole, with the exact truth beside the samples."""
