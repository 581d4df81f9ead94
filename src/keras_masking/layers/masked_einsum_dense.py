import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedEinsumDense(keras.layers.EinsumDense):
    """A dense layer by an einsum equation, for a padded batch.

    Padded steps become 0 on both sides, so nothing in them, nan and inf included, reaches the
    result or the weights, and their bias does not bring them back. Without a mask this is
    `keras.layers.EinsumDense`.

    Args:
        equation, output_shape and others: as in `keras.layers.EinsumDense`.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
    Returns:
        What the equation says, in the layer's compute dtype. The mask goes on where the equation
        keeps its axes in front, as in `"btf,fg->btg"` or `"...f,fg->...g"`. It ends where the
        equation sums over time, as in `"btf,tg->bfg"`.

    Raises:
        ValueError: the equation moves the time axis, the mask does not fit the inputs or holds
            values other than 0 and 1 (seen in eager calls only), or the inputs are ragged or
            strings.
    """

    def __init__(self, equation, output_shape, **kwargs):
        super().__init__(equation, output_shape, **kwargs)
        self.supports_masking = True

    def call(self, inputs, training=None, mask=None):
        mask = _boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs, training=training)
        goes_on = _keeps_steps(self.equation, inputs, mask)
        result = super().call(_zero_where_masked(inputs, mask), training=training)
        return _zero_where_masked(result, mask) if goes_on else result

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None or not _keeps_steps(self.equation, inputs, previous_mask):
            return None
        return ops.cast(previous_mask, "bool")


def _keeps_steps(equation, x, mask):
    """Whether the axes of the mask are in front of the result; False where time is summed away."""
    given, behind = equation.replace(" ", "").split("->")
    given = given.split(",")[0]
    omitted = [str(n) for n in range(len(x.shape) - len(given.replace("...", "")))]
    given, behind = (
        [*text.partition("...")[0], *(omitted if "..." in text else ()), *text.partition("...")[2]]
        for text in (given, behind)
    )
    axes = given[: len(mask.shape)]
    if axes == behind[: len(axes)]:
        return True
    if set(axes[1:]) & set(behind):
        raise ValueError(
            "The equation must keep the axes of the mask in front, or sum over all of them but "
            f"the batch. Received: equation={equation!r} with a mask of shape "
            f"{tuple(mask.shape)}. Keep the time axis second, and move it with MaskedPermute."
        )
    return False


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
