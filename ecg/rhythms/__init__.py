"""What may happen to a heart: rhythms drawn at random, and beats moved and reshaped to follow them."""
