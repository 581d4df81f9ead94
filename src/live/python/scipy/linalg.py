"""Stands in for scipy.linalg: Keras imports it, and no layer calls it."""
