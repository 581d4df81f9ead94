import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedUpSampling1D(keras.layers.UpSampling1D):
    """Repeat each step of a padded batch, and its mask entry with it.

    Padded steps become 0. Without a mask this is `keras.layers.UpSampling1D`.

    Args:
        size: as in `keras.layers.UpSampling1D`.

    Call arguments:
        inputs: numbers of shape `(batch, time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
    Returns:
        Shape `(batch, time * size, features)` and the dtype of `inputs`, with the mask of the
        inputs, each entry `size` times.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def __init__(self, size=2, **kwargs):
        super().__init__(size, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        mask = _boolean_mask(mask, inputs)
        return super().call(inputs if mask is None else _zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        return ops.repeat(ops.cast(previous_mask, "bool"), self.size, axis=1)


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
