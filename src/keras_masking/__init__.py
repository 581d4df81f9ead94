"""Mask-aware layers for Keras 3."""
