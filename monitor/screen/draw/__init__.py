"""Lines and pictures from values: pure functions, no widgets."""
