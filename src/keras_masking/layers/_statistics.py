"""What the layers that normalize by statistics of the batch share."""

import keras
from keras import ops

from keras_masking.layers._masks import with_axes_of, zero_where_masked


def batch_normalized(layer, x, mask, training):
    """By a `BatchNormalization`, whose statistics stay as they are where no step is valid."""
    statistics = layer.non_trainable_variables if training and layer.trainable else []
    before = [ops.copy(ops.convert_to_tensor(variable)) for variable in statistics]
    every_axis_but_last = ops.broadcast_to(with_axes_of(x[..., 0], mask), ops.shape(x)[:-1])
    result = keras.layers.BatchNormalization.call(
        layer, zero_where_masked(x, mask), training=training, mask=every_axis_but_last
    )
    some = ops.any(mask)
    for variable, value in zip(statistics, before, strict=True):
        variable.assign(ops.where(some, ops.convert_to_tensor(variable), value))
    return zero_where_masked(result, mask)
