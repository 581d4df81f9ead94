import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedRMSNormalization(keras.layers.RMSNormalization):
    """Root mean square normalization of a padded batch, which hands the mask on.

    Over the features, the default, each step is normalized alone. Over axes with time the mean
    square is that of the unmasked steps. Padded steps never count, whatever stands in them, nan
    and inf included; they become 0, and so does their gradient. Without a mask this is
    `keras.layers.RMSNormalization`.

    Args:
        axis, epsilon: as in `keras.layers.RMSNormalization`. Under a mask `axis` must name the
            last axes of the inputs: Keras multiplies the scale along these.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
    Returns:
        The shape of `inputs`, in the layer's compute dtype, with the mask of the inputs.

    Raises:
        ValueError: `axis` or the mask does not fit the inputs, the mask holds values other than
            0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(axis=axis, epsilon=epsilon, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        mask = _boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        axes = _last_axes(self.axis, inputs.shape)
        x = _zero_where_masked(inputs, mask)
        if axes[0] >= len(mask.shape):
            return super().call(x)
        wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        kept = ops.cast(_with_axes_of(x, mask), wide.dtype)
        counted = ops.sum(ops.broadcast_to(kept, ops.shape(x)), axis=axes, keepdims=True)
        square = ops.sum(ops.square(wide), axis=axes, keepdims=True) / ops.maximum(counted, 1)
        normalized = wide * ops.rsqrt(square + self.epsilon) * ops.cast(self.scale, wide.dtype)
        return ops.cast(normalized, x.dtype)


def _last_axes(axis, shape):
    axes = sorted(number % len(shape) for number in axis)
    if axes != list(range(len(shape) - len(axes), len(shape))):
        raise ValueError(
            "`axis` must name the last axes of the inputs where they have a mask. Received: "
            f"axis={axis} for inputs of shape {tuple(shape)}. Use -1, or all axes from one on."
        )
    return axes


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
