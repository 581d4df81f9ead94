"""Stands in for Keras's JAX backend, of which its numpy backend imports two functions."""
