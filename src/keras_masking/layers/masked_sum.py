import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedSum(keras.layers.Layer):
    """Sum over the unmasked steps of a padded batch.

    Padded steps never count, whatever stands in them, nan and inf included, and their gradient
    is 0. A fully padded row gives 0. Without a mask this is `keras.ops.sum`.

    Args:
        axis: the axis to sum over, by default 1, the time steps. Not 0, the batch.

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
    is not finite, the sum is taken again with 0 in the place of the padded values.
    """

    def __init__(self, axis=1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape):
        _step_axis(self.axis, input_shape)

    def call(self, inputs, mask=None):
        mask = _boolean_mask(mask, inputs)
        x = ops.cast(inputs, self.compute_dtype)
        axis = _step_axis(self.axis, x.shape)
        if mask is None:
            return ops.sum(x, axis=axis)
        return ops.cast(_masked_sum(x, mask, axis), x.dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return _mask_without(_step_axis(self.axis, inputs.shape), previous_mask)

    def compute_output_shape(self, input_shape):
        axis = _step_axis(self.axis, input_shape)
        return (*input_shape[:axis], *input_shape[axis + 1 :])

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def _masked_sum(x, mask, axis):
    if keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16"):
        x = ops.cast(x, "float32")
    total = _product_with(mask, x, axis)

    def without_padded_values():
        return ops.sum(ops.where(_with_axes_of(x, mask), x, 0), axis=axis)

    return _if(ops.all(ops.isfinite(total)), lambda: total, without_padded_values)


def _product_with(mask, x, axis):
    axes = "abcdefghijklmnopqrstuvwxyz"[: len(x.shape)]
    equation = f"{axes[: len(mask.shape)]},{axes}->{axes[:axis]}{axes[axis + 1 :]}"
    return ops.einsum(equation, ops.cast(mask, x.dtype), x)


def _if(condition, yes, no):
    try:
        return yes() if bool(condition) else no()
    except TypeError:  # compiled: which of the two is known when the graph runs
        return ops.cond(condition, yes, no)


def _with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def _step_axis(axis, shape):
    if type(axis) is not int or axis == 0 or not -len(shape) < axis < len(shape):
        raise ValueError(
            "`axis` must be an integer that names an axis of the inputs other than 0, the batch. "
            f"Received: axis={axis!r} for inputs of shape {tuple(shape)}. "
            f"Use a value from 1 to {len(shape) - 1}."
        )
    return axis % len(shape)


def _mask_without(axis, mask):
    if mask is None or axis >= len(mask.shape):
        return mask
    return ops.any(mask, axis=axis) if len(mask.shape) > 2 else None


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
