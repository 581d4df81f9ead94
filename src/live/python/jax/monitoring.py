"""Keras asks what JAX can record when it imports a callback that writes checkpoints: nothing."""
