"""Mask-aware layers for Keras 3, and tools that show where a model loses its mask."""

from keras_masking.inputs import UnusableInput
from keras_masking.layers import (
    MaskedAttentionPooling,
    MaskedFirst,
    MaskedFlatten,
    MaskedLast,
    MaskedMax,
    MaskedMean,
    MaskedMin,
    MaskedSoftmax,
    MaskedStd,
    MaskedSum,
)
from keras_masking.leaks import assert_no_leaks, find_leaks
from keras_masking.records import Call, Leak, LeakReport, Probe, Tensor, Trace
from keras_masking.tracing import trace

__all__ = [
    "Call",
    "Leak",
    "LeakReport",
    "MaskedAttentionPooling",
    "MaskedFirst",
    "MaskedFlatten",
    "MaskedLast",
    "MaskedMax",
    "MaskedMean",
    "MaskedMin",
    "MaskedSoftmax",
    "MaskedStd",
    "MaskedSum",
    "Probe",
    "Tensor",
    "Trace",
    "UnusableInput",
    "assert_no_leaks",
    "find_leaks",
    "trace",
]
