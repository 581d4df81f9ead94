"""Mask-aware layers for Keras 3, and tools that show where a model loses its mask."""

from keras_masking.conversions import (
    from_additive_mask,
    from_hf_attention_mask,
    from_torch_attn_mask,
    from_torch_key_padding_mask,
    to_additive_mask,
    to_hf_attention_mask,
    to_torch_attn_mask,
    to_torch_key_padding_mask,
)
from keras_masking.inputs import UnusableInput
from keras_masking.layers import (
    MaskedAttentionPooling,
    MaskedFirst,
    MaskedFlatten,
    MaskedGroupQueryAttention,
    MaskedLast,
    MaskedMax,
    MaskedMean,
    MaskedMin,
    MaskedMultiHeadAttention,
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
    "MaskedGroupQueryAttention",
    "MaskedLast",
    "MaskedMax",
    "MaskedMean",
    "MaskedMin",
    "MaskedMultiHeadAttention",
    "MaskedSoftmax",
    "MaskedStd",
    "MaskedSum",
    "Probe",
    "Tensor",
    "Trace",
    "UnusableInput",
    "assert_no_leaks",
    "find_leaks",
    "from_additive_mask",
    "from_hf_attention_mask",
    "from_torch_attn_mask",
    "from_torch_key_padding_mask",
    "to_additive_mask",
    "to_hf_attention_mask",
    "to_torch_attn_mask",
    "to_torch_key_padding_mask",
    "trace",
]
