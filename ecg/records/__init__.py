"""Records: samples in mV with their annotations, from disk, PhysioNet or a dependency; classes and EC57 scores."""
