"""Data, fitting and honest evaluation of the networks."""
