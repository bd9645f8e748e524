"""The signal path compiled with Numba. Nothing here is imported but by `ecg.signal.compiled`, which says when."""
