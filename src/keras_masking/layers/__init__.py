"""One self-contained file per layer: each imports only keras and can be copied out alone."""

from keras_masking.layers.masked_flatten import MaskedFlatten
from keras_masking.layers.masked_mean import MaskedMean
from keras_masking.layers.masked_sum import MaskedSum

__all__ = ["MaskedFlatten", "MaskedMean", "MaskedSum"]
