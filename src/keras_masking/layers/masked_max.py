import keras
import numpy as np
from keras import ops

from keras_masking.layers._masks import with_axes_of
from keras_masking.layers._summaries import Summary, from_global_pooling


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedMax(Summary):
    """Maximum over the unmasked steps of a padded batch.

    Padded steps never count, whatever they hold, nan and inf included, and their gradient
    is 0. A fully padded row gives 0. Without a mask this is `keras.ops.max`; as there, steps that
    tie share the gradient.

    Args:
        axis: the axis to take the maximum over, by default 1, the time steps. Not 0, the
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

    @classmethod
    def from_keras(cls, layer: keras.Layer):
        """In place of a `keras.layers.GlobalMaxPooling1D`: its name and arguments.

        Raises:
            TypeError: `layer` is of another class.
            ValueError: its `data_format` is "channels_first", which a mask does not follow.
        """
        return from_global_pooling(cls, keras.layers.GlobalMaxPooling1D, layer)

    def of_all(self, x, axis):
        return ops.max(x, axis=axis)

    def of_valid(self, x, mask, axis):
        if 0 in x.shape:  # of which Keras on torch gives a number without axes
            return ops.sum(x, axis=axis)
        mask = with_axes_of(x, mask)
        largest = ops.max(ops.where(mask, x, -np.inf), axis=axis)
        return ops.where(ops.any(mask, axis=axis), largest, 0)
