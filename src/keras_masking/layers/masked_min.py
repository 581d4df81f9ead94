import keras
import numpy as np
from keras import ops

from keras_masking.layers._masks import with_axes_of
from keras_masking.layers._summaries import Summary


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedMin(Summary):
    """Minimum over the unmasked steps of a padded batch.

    Padded steps never count, whatever they hold, nan and inf included, and their gradient
    is 0. A fully padded row gives 0. Without a mask this is `keras.ops.min`; as there, steps that
    tie share the gradient.

    Args:
        axis: the axis to take the minimum over, by default 1, the time steps. Not 0, the
            batch.
        keepdims: whether the result keeps `axis`, with size 1.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`, or flattened to `(batch, time * ...)`
            with a mask that was flattened alike.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs` without `axis`, in the layer's compute dtype. A `(batch, time)` mask
        ends here. From a mask with more axes `axis` is dropped, and a step stays unmasked where
        any part of it was.

    Raises:
        ValueError: the axis or the mask does not fit the inputs, the mask holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    def of_all(self, x, axis):
        return ops.min(x, axis=axis)

    def of_valid(self, x, mask, axis):
        if 0 in x.shape:  # of which Keras on torch gives a number without axes
            return ops.sum(x, axis=axis)
        mask = with_axes_of(x, mask)
        smallest = ops.min(ops.where(mask, x, np.inf), axis=axis)
        return ops.where(ops.any(mask, axis=axis), smallest, 0)
