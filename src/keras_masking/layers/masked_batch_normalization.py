import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization of a padded batch that nothing in the padding can harm.

    The batch normalization of Keras takes a mask too and normalizes valid steps alike. Here nan
    and inf in padded steps do not reach the gradient of the weights either, a batch without a
    valid step leaves the moving statistics as they are, a single feature works on each backend,
    and a mask may have fewer axes, as `(batch, time)` for images as steps. Padded steps become 0,
    and so does their gradient. Without a mask this is `keras.layers.BatchNormalization`.

    Args:
        axis, momentum, epsilon and others: as in `keras.layers.BatchNormalization`. Under a mask
            `axis` must not name one of its axes, and `synchronized=True` is refused: Keras would
            ignore it.

    Call arguments:
        inputs: numbers of shape `(batch, time, ..., features)`.
        training: whether the statistics are those of the batch, and move the moving ones.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
    Returns:
        The shape of `inputs`, in the layer's compute dtype, with the mask of the inputs; float16
        and bfloat16 are computed in float32.

    Raises:
        ValueError: `axis`, `synchronized` or the mask does not fit, the mask holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, training=None, mask=None):
        mask = _boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs, training=training)
        _refuse_time(self.axis, mask, inputs)
        if self.synchronized:
            raise ValueError(
                "The statistics of several devices cannot be joined under a mask. Received: "
                "synchronized=True. Use synchronized=False, or DropMask in front."
            )
        x = _zero_where_masked(inputs, mask)
        before = [ops.copy(ops.convert_to_tensor(x)) for x in self._statistics(training)]
        result = super().call(x, training=training, mask=_every_axis_but_last(x, mask))
        some = ops.any(mask)
        for variable, value in zip(self._statistics(training), before, strict=True):
            variable.assign(ops.where(some, ops.convert_to_tensor(variable), value))
        return _zero_where_masked(result, mask)

    def _moments(self, inputs, mask):
        # those of a single feature come without any axis
        return (ops.reshape(x, (-1,)) for x in super()._moments(inputs, mask))

    def _statistics(self, training):
        return self.non_trainable_variables if training and self.trainable else []


def _refuse_time(axis, mask, inputs):
    if axis % len(inputs.shape) < len(mask.shape):
        raise ValueError(
            "`axis` must name the features, not an axis of the mask. Received: "
            f"axis={axis} for inputs of shape {tuple(inputs.shape)} with a mask of shape "
            f"{tuple(mask.shape)}. Use axis=-1, with the features last."
        )


def _every_axis_but_last(x, mask):
    return ops.broadcast_to(_with_axes_of(x[..., 0], mask), ops.shape(x)[:-1])


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
