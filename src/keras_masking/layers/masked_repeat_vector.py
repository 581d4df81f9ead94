import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedRepeatVector(keras.layers.RepeatVector):
    """Repeat a vector `n` times, and the mask of its elements with it.

    Masked elements become 0. Without a mask this is `keras.layers.RepeatVector`. A vector that
    stands for a whole sequence carries no mask; `KeepMask` gives its repetitions the mask of the
    sequence: `KeepMask()([RepeatVector(n)(vector), sequence])`.

    Args:
        n: as in `keras.layers.RepeatVector`.

    Call arguments:
        inputs: numbers of shape `(batch, elements)`.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, elements)`; True = use. Given by
            Keras when `inputs` carry a mask, as behind `MaskedFlatten`.

    Returns:
        Shape `(batch, n, elements)` and the dtype of `inputs`, with a mask of the same shape.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def __init__(self, n, **kwargs):
        super().__init__(n, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        mask = _boolean_mask(mask, inputs)
        return super().call(inputs if mask is None else _zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        return ops.repeat(ops.expand_dims(ops.cast(previous_mask, "bool"), 1), self.n, axis=1)


def _zero_where_masked(x, mask):
    return ops.cast(ops.where(_with_axes_of(x, mask), x, 0), x.dtype)


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
