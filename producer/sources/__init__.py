"""Sources: where the samples of a bed come from."""
