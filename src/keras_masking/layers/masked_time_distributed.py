import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedTimeDistributed(keras.layers.TimeDistributed):
    """Apply a layer to every outer step of a padded batch, each with the mask of its inner steps.

    Padded outer steps become 0 in front of the layer and behind it. Without a mask this is
    `keras.layers.TimeDistributed`.

    Args:
        layer: as in `keras.layers.TimeDistributed`.

    Call arguments:
        inputs: numbers of shape `(batch, outer, ...)`, such as `(batch, outer, inner, features)`.
        training: handed on to the layer where it takes it.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, outer)`, or with inner steps too,
            `(batch, outer, inner)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        What the layer gives, in shape `(batch, outer, ...)`. The mask is `(batch, outer)`, True
        where any inner step is; where the layer hands the mask of inner steps on, it is
        `(batch, outer, inner)`.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.

    Method: outer steps are samples to the layer, which runs once for all of them. One without a
    valid inner step is one of valid zeros there, because many layers give nan for a fully padded
    row.
    """

    def call(self, inputs, training=None, mask=None):
        mask = _boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs, training=training)
        outer, options = _outer_steps(mask), {}
        if self.layer._call_has_training_arg:
            options["training"] = training
        if self.layer._call_has_mask_arg and len(mask.shape) > 2:
            options["mask"] = _joined(mask | ~_with_axes_of(mask, outer))
        result = self.layer.call(_joined(_zero_where_masked(inputs, mask)), **options)
        return _zero_where_masked(_parted(result, outer), outer)

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        mask = ops.cast(previous_mask, "bool")
        outer = _outer_steps(mask)
        if len(mask.shape) == 2 or not self.layer.supports_masking:
            return outer
        first = mask[:, 0]
        inner = self.layer.compute_mask(inputs[:, 0], first)
        if inner is None or inner is first:
            return outer if inner is None else mask
        if isinstance(mask, keras.KerasTensor) and None in (*inputs.shape[1:], *inner.shape[1:]):
            raise ValueError(
                "A layer that changes the mask of inner steps needs sizes that are known before "
                f"the run. Received: {self.layer} for inputs of shape {inputs.shape}. Give "
                "keras.Input all sizes but the batch."
            )
        inner = _parted(self.layer.compute_mask(_joined(inputs), _joined(mask)), outer)
        return ops.logical_and(inner, _with_axes_of(inner, outer))


def _joined(x):
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))


def _parted(x, outer):
    return ops.reshape(x, (-1, ops.shape(outer)[1], *ops.shape(x)[1:]))


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
