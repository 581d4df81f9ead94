import keras
from keras import ops

from keras_masking.layers._masks import with_axes_of
from keras_masking.layers._summaries import Summary, if_, in_float32, product_with


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedStd(Summary):
    """Standard deviation over the unmasked steps of a padded batch.

    It is the population's, divided by the number of unmasked steps and not by one less, as in
    numpy and `keras.ops.std`, which this is without a mask. Padded steps never count, whatever
    they hold, nan and inf included, and their gradient is 0. A row with one unmasked step, or
    with none, gives 0. So is the gradient where the deviation is 0; that of `keras.ops.std` is nan.

    Args:
        axis: the axis to take the deviation over, by default 1, the time steps. Not 0, the batch.
        keepdims: whether the result keeps `axis`, with size 1.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`, or flattened to `(batch, time * ...)`
            with a mask that was flattened alike.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs` without `axis`, in the layer's compute dtype; float16 and bfloat16
        are computed in float32. A `(batch, time)` mask ends here. From a mask with more axes
        `axis` is dropped, and a step stays unmasked where any part of it was.

    Raises:
        ValueError: the axis or the mask does not fit the inputs, the mask holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.

    Method: two passes, the mean and then the mean square of the distances from it, because the
    mean of the squares less the square of the mean cancels where the mean is large. Products with
    the mask read the inputs less often than selections, but `0 * nan` is nan. Where the total is
    not finite, 0 replaces the padded values first.
    """

    def of_all(self, x, axis):
        x = in_float32(x)
        distances = x - ops.mean(x, axis=axis, keepdims=True)
        return root(ops.mean(ops.square(distances), axis=axis))

    def of_valid(self, x, mask, axis):
        return root(masked_variance(in_float32(x), mask, axis))


def root(variance):
    # it has no slope at 0, and the infinite one that it is given makes gradients nan
    constant = ops.equal(variance, 0)
    return ops.where(constant, 0, ops.sqrt(ops.where(constant, 1, variance)))


def masked_variance(x, mask, axis):
    if axis < len(mask.shape):
        steps = ops.sum(ops.cast(mask, x.dtype), axis=axis, keepdims=True)
        steps = ops.maximum(with_axes_of(x, steps), 1)
    else:
        steps = ops.cast(ops.shape(x)[axis], x.dtype)
    kept = with_axes_of(x, mask)

    def variance(total, x):
        distances = (x - total / steps) * ops.cast(kept, x.dtype)
        return ops.sum(ops.square(distances), axis=axis, keepdims=True) / steps

    def without_padded_values():
        selected = ops.where(kept, x, 0)
        return variance(ops.sum(selected, axis=axis, keepdims=True), selected)

    total = ops.expand_dims(product_with(mask, x, axis), axis)
    return ops.squeeze(
        if_(ops.all(ops.isfinite(total)), lambda: variance(total, x), without_padded_values), axis
    )
