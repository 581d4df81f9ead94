"""Stands in for the names that Keras gives itself inside TensorFlow."""
