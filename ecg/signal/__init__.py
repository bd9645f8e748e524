"""The signal path: samples of many beds in, beats ready for the network out."""
