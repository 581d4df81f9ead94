import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedFlatten(keras.layers.Flatten):
    """Flatten a padded batch, and its mask with it.

    Padded elements become 0, so that a `Dense` layer behind sees nothing of them, and the mask
    is repeated for each element of a step, in the order of the flattened elements. Without a
    mask this is `keras.layers.Flatten`.

    Args:
        data_format: as in `keras.layers.Flatten`.
        pass_mask: whether the flattened mask goes on. In front of a `Dense` layer it must end:
            `Dense` would hand it on to an output of another size, and the loss could not use it.

    Call arguments:
        inputs: a tensor of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, time * ...)` and the dtype of `inputs`, with a mask of the same shape
        unless `pass_mask` is False. Sizes that are known before the model runs stay known.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def __init__(self, data_format=None, pass_mask=True, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.pass_mask = pass_mask
        self.supports_masking = True

    def call(self, inputs, mask=None):
        mask = _boolean_mask(mask, inputs)
        if mask is not None:
            kept = ops.where(_with_axes_of(inputs, mask), inputs, 0)
            inputs = ops.cast(kept, inputs.dtype)
        return super().call(inputs)

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None or not self.pass_mask:
            return None
        steps = _with_axes_of(inputs, ops.cast(previous_mask, "bool"))
        elements = ops.logical_and(steps, ops.ones_like(inputs, dtype="bool"))
        return keras.layers.Flatten(self.data_format)(elements)

    def compute_output_spec(self, inputs, mask=None):
        return super().compute_output_spec(inputs)

    def get_config(self):
        return {**super().get_config(), "pass_mask": self.pass_mask}


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
