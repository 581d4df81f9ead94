import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedZeroPadding1D(keras.layers.ZeroPadding1D):
    """Add steps of zeros to a padded batch, and mask them.

    The steps that are added are padding like any other, and padded steps become 0. Without a mask
    this is `keras.layers.ZeroPadding1D`.

    Args:
        padding, data_format: as in `keras.layers.ZeroPadding1D`. Under a mask "channels_first" is
            refused: time is the second axis of a mask.

    Call arguments:
        inputs: numbers of shape `(batch, time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
    Returns:
        Shape `(batch, time + padding, features)` and the dtype of `inputs`, with the mask of the
        inputs, which is False at the steps added.

    Raises:
        ValueError: the channels are first, the mask does not fit the inputs or holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        mask = _boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        if self.data_format == "channels_first":
            raise ValueError(
                "Inputs with a mask must have time as their second axis. Received: "
                'data_format="channels_first". Use "channels_last", or DropMask in front.'
            )
        return super().call(_zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        widths = [(0, 0), self.padding, *[(0, 0)] * (len(previous_mask.shape) - 2)]
        return ops.pad(ops.cast(previous_mask, "bool"), widths)


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
