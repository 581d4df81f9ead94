"""Mask-aware layers for Keras 3, and tools that show where a model loses its mask."""

from keras_masking.inputs import UnusableInput
from keras_masking.layers import MaskedFlatten, MaskedMean, MaskedSum
from keras_masking.records import Call, Tensor, Trace
from keras_masking.tracing import trace

__all__ = [
    "Call",
    "MaskedFlatten",
    "MaskedMean",
    "MaskedSum",
    "Tensor",
    "Trace",
    "UnusableInput",
    "trace",
]
