import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedCropping1D(keras.layers.Cropping1D):
    """Cut the first and the last steps off each sequence of a padded batch.

    The steps that are cut are unmasked ones, wherever padding stands: from a sequence padded on
    the right the last valid steps go, not padding. Padded steps become 0, and a sequence without
    more steps than are cut becomes fully padded; a batch of such has no steps left. Without a mask
    this is `keras.layers.Cropping1D`.

    Args:
        cropping: as in `keras.layers.Cropping1D`.

    Call arguments:
        inputs: numbers of shape `(batch, time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
    Returns:
        Shape `(batch, time - cropping, features)` and the dtype of `inputs`. The mask is that of
        the inputs, without the steps that were cut.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        mask = _boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        return self._between(_zero_where_masked(inputs, self._left(mask)))

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        return self._between(self._left(ops.cast(previous_mask, "bool")))

    def _left(self, mask):
        first, last = self.cropping
        steps = _outer_steps(mask)
        number = ops.cumsum(ops.cast(steps, "int32"), axis=1)
        total = ops.sum(ops.cast(steps, "int32"), axis=1, keepdims=True)
        kept = ops.logical_and(number > first, number <= total - last)
        return ops.logical_and(mask, _with_axes_of(mask, kept))

    def _between(self, x):
        # what is left of a sequence has `first` valid steps in front of it and `last` behind
        first, last = self.cropping
        return x[:, first : -last or None]


def _outer_steps(mask):
    return ops.any(mask, axis=tuple(range(2, len(mask.shape)))) if len(mask.shape) > 2 else mask


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
