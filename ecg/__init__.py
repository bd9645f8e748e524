"""What producer, monitor and trainer share: records, wire messages, settings, signal path, network."""

__version__ = "0.1.0"
