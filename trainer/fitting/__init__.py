"""Fits: the epoch, the loop over epochs, and the networks and data of each kind."""
