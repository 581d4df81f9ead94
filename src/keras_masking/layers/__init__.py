"""One self-contained file per layer: each imports only keras and numpy and can be copied out."""

from keras_masking.layers.masked_attention_pooling import MaskedAttentionPooling
from keras_masking.layers.masked_first import MaskedFirst
from keras_masking.layers.masked_flatten import MaskedFlatten
from keras_masking.layers.masked_group_query_attention import MaskedGroupQueryAttention
from keras_masking.layers.masked_last import MaskedLast
from keras_masking.layers.masked_max import MaskedMax
from keras_masking.layers.masked_mean import MaskedMean
from keras_masking.layers.masked_min import MaskedMin
from keras_masking.layers.masked_multi_head_attention import MaskedMultiHeadAttention
from keras_masking.layers.masked_softmax import MaskedSoftmax
from keras_masking.layers.masked_std import MaskedStd
from keras_masking.layers.masked_sum import MaskedSum

__all__ = [
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
]
