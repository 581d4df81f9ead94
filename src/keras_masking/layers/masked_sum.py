import keras
from keras import ops

from keras_masking.layers._summaries import Summary, masked_sum


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedSum(Summary):
    """Sum over the unmasked steps of a padded batch.

    Padded steps never count, whatever they hold, nan and inf included, and their gradient
    is 0. A fully padded row gives 0. Without a mask this is `keras.ops.sum`.

    Args:
        axis: the axis to sum over, by default 1, the time steps. Not 0, the batch.
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
    is not finite, the sum is taken again with 0 in place of the padded values.
    """

    def of_all(self, x, axis):
        return ops.sum(x, axis=axis)

    def of_valid(self, x, mask, axis):
        return masked_sum(x, mask, axis)
