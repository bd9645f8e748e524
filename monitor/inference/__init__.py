"""The network over all beds: batches of ready beats, a memory per slot."""
