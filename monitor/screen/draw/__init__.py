"""Values drawn as lines and pictures: pure functions, no widgets."""
