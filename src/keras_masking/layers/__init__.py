"""One file a layer; what several share is in the files that begin with `_`.

A copy of each that needs only keras and numpy is assembled by `sitekit.copies`.
"""

from keras_masking.layers.drop_mask import DropMask
from keras_masking.layers.keep_mask import KeepMask
from keras_masking.layers.masked_attention_pooling import MaskedAttentionPooling
from keras_masking.layers.masked_average_pooling1d import MaskedAveragePooling1D
from keras_masking.layers.masked_batch_normalization import MaskedBatchNormalization
from keras_masking.layers.masked_conv1d import MaskedConv1D
from keras_masking.layers.masked_conv1d_transpose import MaskedConv1DTranspose
from keras_masking.layers.masked_cropping1d import MaskedCropping1D
from keras_masking.layers.masked_depthwise_conv1d import MaskedDepthwiseConv1D
from keras_masking.layers.masked_einsum_dense import MaskedEinsumDense
from keras_masking.layers.masked_first import MaskedFirst
from keras_masking.layers.masked_flatten import MaskedFlatten
from keras_masking.layers.masked_group_normalization import MaskedGroupNormalization
from keras_masking.layers.masked_group_query_attention import MaskedGroupQueryAttention
from keras_masking.layers.masked_lambda import MaskedLambda
from keras_masking.layers.masked_last import MaskedLast
from keras_masking.layers.masked_max import MaskedMax
from keras_masking.layers.masked_max_pooling1d import MaskedMaxPooling1D
from keras_masking.layers.masked_mean import MaskedMean
from keras_masking.layers.masked_min import MaskedMin
from keras_masking.layers.masked_multi_head_attention import MaskedMultiHeadAttention
from keras_masking.layers.masked_permute import MaskedPermute
from keras_masking.layers.masked_repeat_vector import MaskedRepeatVector
from keras_masking.layers.masked_reshape import MaskedReshape
from keras_masking.layers.masked_rms_normalization import MaskedRMSNormalization
from keras_masking.layers.masked_separable_conv1d import MaskedSeparableConv1D
from keras_masking.layers.masked_softmax import MaskedSoftmax
from keras_masking.layers.masked_std import MaskedStd
from keras_masking.layers.masked_sum import MaskedSum
from keras_masking.layers.masked_time_distributed import MaskedTimeDistributed
from keras_masking.layers.masked_up_sampling1d import MaskedUpSampling1D
from keras_masking.layers.masked_zero_padding1d import MaskedZeroPadding1D

__all__ = [
    "DropMask",
    "KeepMask",
    "MaskedAttentionPooling",
    "MaskedAveragePooling1D",
    "MaskedBatchNormalization",
    "MaskedConv1D",
    "MaskedConv1DTranspose",
    "MaskedCropping1D",
    "MaskedDepthwiseConv1D",
    "MaskedEinsumDense",
    "MaskedFirst",
    "MaskedFlatten",
    "MaskedGroupNormalization",
    "MaskedGroupQueryAttention",
    "MaskedLambda",
    "MaskedLast",
    "MaskedMax",
    "MaskedMaxPooling1D",
    "MaskedMean",
    "MaskedMin",
    "MaskedMultiHeadAttention",
    "MaskedPermute",
    "MaskedRMSNormalization",
    "MaskedRepeatVector",
    "MaskedReshape",
    "MaskedSeparableConv1D",
    "MaskedSoftmax",
    "MaskedStd",
    "MaskedSum",
    "MaskedTimeDistributed",
    "MaskedUpSampling1D",
    "MaskedZeroPadding1D",
]
