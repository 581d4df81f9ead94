import keras
import numpy as np
from keras import ops

from keras_masking.layers._masks import boolean_mask, with_axes_of
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedSoftmax(StandIn, keras.layers.Softmax):
    """Softmax over the unmasked entries of a padded batch.

    Masked entries become 0, and the others sum to 1 among themselves. Where every entry along
    `axis` is masked, all become 0. What padding holds never counts, nan and inf
    included, and its gradient is 0. Without a mask this is `keras.layers.Softmax`.

    A mask of fewer axes than the inputs belongs to their leading axes, as all masks of Keras do;
    `keras.layers.Softmax` would align it with the trailing ones, and raises an error or mixes them
    up.

    Args:
        axis: as in `keras.layers.Softmax`, by default -1; 1 gives weights over the time steps.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
            With as many axes as `inputs` its sizes may also be 1, as in `(batch, 1, 1, keys)`.

    Returns:
        The shape of `inputs`, in their dtype. The mask goes on.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = self.compute_mask(inputs, mask)
        if mask is None:
            return super().call(inputs)
        mask = with_axes_of(inputs, mask)
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        some = ops.any(mask, axis=axis, keepdims=True)
        # -inf everywhere would make nan of a row and of its gradient
        excluded = ops.cast(ops.where(some, -np.inf, 0), inputs.dtype)
        weights = super().call(ops.where(mask, inputs, excluded))
        return ops.cast(ops.where(mask, weights, 0), inputs.dtype)

    def compute_mask(self, inputs, previous_mask=None):
        mask = None if previous_mask is None else ops.convert_to_tensor(previous_mask)
        return boolean_mask(mask, where_not_repeated(mask, inputs))

    def compute_output_spec(self, inputs, mask=None):
        self.compute_mask(inputs, mask)
        return super().compute_output_spec(inputs)


def where_not_repeated(mask, inputs):
    """The inputs, cut to size 1 along the axes where a mask of as many axes has size 1."""
    if mask is None or len(mask.shape) != len(inputs.shape):
        return inputs
    return inputs[tuple(slice(0, 1 if size == 1 else None) for size in mask.shape)]
