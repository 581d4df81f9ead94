"""Stands in for absl-py, of which Keras imports `absl.logging` alone."""
