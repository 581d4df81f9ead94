"""Official examples that feed padded sequences, rebuilt small, and what padding does to them."""
