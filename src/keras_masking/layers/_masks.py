"""What the layers share about masks."""

import keras
from keras import ops


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


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def zero_where_masked(x, mask):
    return ops.cast(ops.where(with_axes_of(x, mask), x, 0), x.dtype)


def valid_where_masked(x, mask):
    """`x`, with the first valid step of the batch in place of padding, or 1 without any.

    For a function whose result in padding is selected away: that has a gradient of 0, and 0 times
    the slope of the function is nan where the slope is not finite, as that of `log` at 0.
    """
    flat = ops.cast(ops.reshape(mask, (-1,)), "int32")
    first = ops.logical_and(mask, ops.reshape(ops.equal(ops.cumsum(flat), 1), ops.shape(mask)))
    steps = tuple(range(len(mask.shape)))
    valid = ops.sum(ops.where(with_axes_of(x, first), x, 0), axis=steps, keepdims=True)
    valid = ops.where(ops.any(mask), ops.stop_gradient(valid), 1)
    return ops.cast(ops.where(with_axes_of(x, mask), x, valid), x.dtype)


def outer_steps(mask):
    return ops.any(mask, axis=tuple(range(2, len(mask.shape)))) if len(mask.shape) > 2 else mask


def refuse_time(axis, mask, inputs):
    if axis % len(inputs.shape) < len(mask.shape):
        raise ValueError(
            "`axis` must name the features, not an axis of the mask. Received: "
            f"axis={axis} for inputs of shape {tuple(inputs.shape)} with a mask of shape "
            f"{tuple(mask.shape)}. Use axis=-1, with the features last."
        )
