# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/keep_mask.py and what it uses of the files beside it.

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class KeepMask(keras.layers.Layer):
    """Pass a mask on to a tensor that lost it, as after an operator: `KeepMask()([x * 2, x])`.

    The values stay as they are, those of padded steps too, and the tensors given are not changed.
    The steps must be where they were: after a slice or a reversal give `mask`, changed alike.

    Call arguments:
        inputs: a list of two tensors, the one that needs the mask and the one to take it from; or
            one tensor, whose mask is given by `mask` or is kept.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of the first
            tensor, at least `(batch, time)`; True = use. With two tensors it is given by Keras. By
            name only: Keras does not pass on a mask that is given by position.

    Returns:
        The first tensor, with the mask of the second, or without one where the second has none.

    Raises:
        TypeError: the mask is given by position.
        ValueError: there are not one or two tensors, the mask does not fit the first of them or
            holds values other than 0 and 1 (seen in eager calls only), or they are ragged or
            strings.
    """

    def call(self, inputs, *, mask=None):
        x, mask = tensor_and_mask(inputs, mask)
        boolean_mask(mask, x)
        return ops.copy(x)  # Keras sets the mask on what is returned, and that must not be theirs

    def compute_mask(self, inputs, previous_mask=None):
        x, mask = tensor_and_mask(inputs, previous_mask)
        return boolean_mask(mask, x)


def tensor_and_mask(inputs, mask):
    if not isinstance(inputs, (list, tuple)):
        return inputs, mask
    if len(inputs) != 2 or not isinstance(mask, (list, tuple, type(None))):
        raise ValueError(
            "The inputs must be the tensor that needs a mask and the one to take it from. "
            f"Received: {len(inputs)} inputs"
            f"{' and a mask' if hasattr(mask, 'shape') else ''}. "
            "Write `KeepMask()([x * 2, x])`, or `KeepMask()(x * 2, mask=mask)`."
        )
    return inputs[0], None if mask is None else mask[1]


def boolean_mask(mask, inputs):
    """The mask as booleans, or None. Refuses inputs and masks that no layer can use."""
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
            f"{tuple(inputs.shape)}. Give one entry per step, True where the step counts."
        )
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype == "bool":
        return mask
    try:
        truth = dtype[:3] in ("int", "uin", "flo", "bfl") and bool(
            ops.all(ops.logical_or(ops.equal(mask, 0), ops.equal(mask, 1)))
        )
    except TypeError:  # compiled: the values are not known yet
        truth = True
    if not truth:
        raise ValueError(
            "The mask must hold booleans, or the numbers 0 and 1. Received: a mask of dtype "
            f"{dtype} with other values. Compare first, such as `scores > 0` or `lengths != 0`."
        )
    return ops.cast(mask, "bool")
