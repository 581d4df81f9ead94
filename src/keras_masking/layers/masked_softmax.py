import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedSoftmax(keras.layers.Softmax):
    """Softmax over the unmasked entries of a padded batch.

    Masked entries become 0, and the others sum to 1 among themselves. Where every entry along
    `axis` is masked, all become 0. What stands in padding counts for nothing, nan and inf
    included, and its gradient is 0. Without a mask this is `keras.layers.Softmax`.

    A mask of fewer axes than the inputs belongs to their leading axes, as all masks of Keras do;
    `keras.layers.Softmax` would align it with the trailing ones, and raises or mixes them up.

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
        if mask is not None:
            mask = ops.convert_to_tensor(mask)
        mask = _boolean_mask(mask, _where_not_repeated(mask, inputs))
        if mask is None:
            return super().call(inputs)
        mask = _with_axes_of(inputs, mask)
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        some = ops.any(mask, axis=axis, keepdims=True)
        # -inf everywhere would make nan of a row and of its gradient
        excluded = ops.cast(ops.where(some, -np.inf, 0), inputs.dtype)
        weights = super().call(ops.where(mask, inputs, excluded))
        return ops.cast(ops.where(mask, weights, 0), inputs.dtype)


def _where_not_repeated(mask, inputs):
    """The inputs, cut to size 1 along the axes where a mask of as many axes has size 1."""
    if mask is None or len(mask.shape) != len(inputs.shape):
        return inputs
    return inputs[tuple(slice(0, 1 if size == 1 else None) for size in mask.shape)]


def _with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def _boolean_mask(mask, inputs):
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    if dtype == "string" or hasattr(inputs, "row_splits"):
        raise ValueError(
            "The inputs must be a dense tensor of numbers. Received: "
            f"{'strings' if dtype == 'string' else 'a ragged tensor'} of shape {inputs.shape}. "
            "Turn strings into numbers first, and a ragged tensor into a padded one with its mask."
        )
    if mask is None:
        return None
    mask = ops.convert_to_tensor(mask)
    shape, leading = tuple(mask.shape), tuple(inputs.shape)[: len(mask.shape)]
    if not 2 <= len(shape) == len(leading) or any(
        m != n and None not in (m, n) for m, n in zip(shape, leading, strict=True)
    ):
        raise ValueError(
            "The mask must have the shape of the leading axes of the inputs, at least "
            f"(batch, time). Received: a mask of shape {shape} for inputs of shape "
            f"{tuple(inputs.shape)}. Give one entry a step, True where the step counts."
        )
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype == "bool":
        return mask
    try:
        truth = dtype[:3] in ("int", "uin", "flo", "bfl") and bool(
            ops.all((mask == 0) | (mask == 1))
        )
    except TypeError:  # compiled: the values are not known yet
        truth = True
    if not truth:
        raise ValueError(
            "The mask must hold booleans, or the numbers 0 and 1. Received: a mask of dtype "
            f"{dtype} with other values. Compare first, such as `scores > 0` or `lengths != 0`."
        )
    return ops.cast(mask, "bool")
