# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_std.py and what it uses of the files beside it.

import keras
from keras import ops


class Summary(keras.layers.Layer):
    """Of all entries along an axis; `of_all` gives it without a mask, `of_valid` with one."""

    def __init__(self, axis: int = 1, keepdims: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.keepdims = keepdims

    def build(self, input_shape):
        step_axis(self.axis, input_shape)

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        x, axis = self.taken(inputs), step_axis(self.axis, inputs.shape)
        result = self.of_all(x, axis) if mask is None else self.of_valid(x, mask, axis)
        return ops.cast(ops.expand_dims(result, axis) if self.keepdims else result, x.dtype)

    def taken(self, inputs):
        return ops.cast(inputs, self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return mask_without(step_axis(self.axis, inputs.shape), mask, self.keepdims)

    def compute_output_shape(self, input_shape):
        axis = step_axis(self.axis, input_shape)
        return (*input_shape[:axis], *(1,) * self.keepdims, *input_shape[axis + 1 :])

    def compute_output_spec(self, inputs, mask=None):
        boolean_mask(mask, inputs)
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.taken(inputs).dtype)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "keepdims": self.keepdims}


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


def step_axis(axis, shape):
    if type(axis) is not int or axis == 0 or not -len(shape) < axis < len(shape):
        raise ValueError(
            "`axis` must be an integer that names an axis of the inputs other than 0, the batch. "
            f"Received: axis={axis!r} for inputs of shape {tuple(shape)}. "
            f"Use a value from 1 to {len(shape) - 1}."
        )
    return axis % len(shape)


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


def mask_without(axis, mask, keepdims=False):
    if mask is None or axis >= len(mask.shape):
        return mask
    return ops.any(mask, axis=axis, keepdims=keepdims) if len(mask.shape) > 2 else None


def in_float32(x):
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    return ops.cast(x, "float32") if half else x


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


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def product_with(mask, x, axis):
    axes = "abcdefghijklmnopqrstuvwxyz"[: len(x.shape)]
    equation = f"{axes[: len(mask.shape)]},{axes}->{axes[:axis]}{axes[axis + 1 :]}"
    return ops.einsum(equation, ops.cast(mask, x.dtype), x)


def if_(condition, yes, no):
    try:
        return yes() if bool(condition) else no()
    except TypeError:  # compiled: which of the two is known when the graph runs
        return ops.cond(condition, yes, no)
