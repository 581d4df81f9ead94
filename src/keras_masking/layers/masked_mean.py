import keras
from keras import ops

from keras_masking.layers._masks import with_axes_of
from keras_masking.layers._summaries import Summary, from_global_pooling, masked_sum


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedMean(Summary):
    """Mean over the unmasked steps of a padded batch.

    Padded steps never count, whatever they hold, nan and inf included, and their gradient
    is 0. A fully padded row gives 0. Without a mask this is `keras.ops.mean`.

    Args:
        axis: the axis to average over, by default 1, the time steps. Not 0, the batch.
        keepdims: whether the result keeps `axis`, with size 1.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`, or flattened to `(batch, time * ...)`
            with a mask that was flattened alike.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs` without `axis`, in the layer's compute dtype; float16 and bfloat16
        are added up in float32. A `(batch, time)` mask ends here. From a mask with more axes
        `axis` is dropped, and a step stays unmasked where any part of it was.

    Raises:
        ValueError: the axis or the mask does not fit the inputs, the mask holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.

    Method: a product with the mask reads the inputs once, but `0 * nan` is nan. Where the product
    is not finite, the sum is taken again with 0 in place of the padded values. The total is
    divided by the number of unmasked steps, or by 1 where there is none.
    """

    @classmethod
    def from_keras(cls, layer: keras.Layer):
        """In place of a `keras.layers.GlobalAveragePooling1D`: its name and arguments.

        Raises:
            TypeError: `layer` is of another class.
            ValueError: its `data_format` is "channels_first", which a mask does not follow.
        """
        return from_global_pooling(cls, keras.layers.GlobalAveragePooling1D, layer)

    def of_all(self, x, axis):
        return ops.mean(x, axis=axis)

    def of_valid(self, x, mask, axis):
        total = masked_sum(x, mask, axis)
        if axis < len(mask.shape):
            steps = ops.sum(ops.cast(mask, total.dtype), axis=axis)
            steps = with_axes_of(total, steps)
        else:
            steps = ops.cast(ops.shape(x)[axis], total.dtype)
        return total / ops.maximum(steps, 1)
