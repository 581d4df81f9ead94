"""Mask-aware layers for Keras 3."""

from keras_masking.layers import MaskedFlatten, MaskedMean, MaskedSum

__all__ = ["MaskedFlatten", "MaskedMean", "MaskedSum"]
