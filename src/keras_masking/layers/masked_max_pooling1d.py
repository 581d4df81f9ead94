import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedMaxPooling1D(keras.layers.MaxPooling1D):
    """Maximum over the unmasked steps of each window of a padded batch.

    Each sequence gets what `keras.layers.MaxPooling1D` gives it alone, without its padding. A
    padded step never counts, whatever stands in it, nan and inf included, and its gradient is 0.
    Padding between valid steps keeps its place in time. The windows start at the first valid
    step, so that padding on either side moves none. Without a mask this is
    `keras.layers.MaxPooling1D`.

    Args:
        pool_size, strides, padding, data_format: as in `keras.layers.MaxPooling1D`. As there,
            "valid" drops steps at the end that fill no window; "same" keeps them.
        mask_rule: which of the outputs that a sequence has alone stay unmasked. "any": those
            whose window holds a valid step. "all": those whose window holds nothing else; what
            `same` adds at the ends is no valid step.

    Call arguments:
        inputs: floats of shape `(batch, time, channels)`, or `(batch, channels, time)` with
            `data_format="channels_first"`.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, time)`; True = use. Given by
            Keras when `inputs` carry a mask.

    Returns:
        The shape and dtype of `keras.layers.MaxPooling1D`, with a mask of shape
        `(batch, new_time)`. Masked outputs are 0. A sequence without an output alone, which is
        a fully padded row, or one shorter than the window of `padding="valid"`, has masked
        outputs only.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), `mask_rule` is another, or the inputs are ragged or strings.
    """

    def __init__(self, *args, mask_rule="any", **kwargs):
        super().__init__(*args, **kwargs)
        self.mask_rule = _mask_rule(mask_rule)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        steps_first = self.data_format == "channels_last"
        x = inputs if steps_first else ops.swapaxes(inputs, 1, 2)
        mask = _step_mask(mask, x)
        if mask is None:
            return super().call(inputs)
        if x.shape[0] == 0:  # jax takes no steps from an empty batch
            return ops.zeros(self.compute_output_shape(inputs.shape), inputs.dtype)
        start, output_mask = _windows(mask, *self._window(), self.mask_rule)
        x = _in_windows(x, mask, start, *self._window(), -np.inf)
        outputs = ops.max_pool(x, self.pool_size, self.strides, "valid", "channels_last")
        outputs = ops.where(output_mask[..., None], outputs, ops.cast(0, outputs.dtype))
        return outputs if steps_first else ops.swapaxes(outputs, 1, 2)

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        return _windows(ops.cast(previous_mask, "bool"), *self._window(), self.mask_rule)[1]

    def compute_output_spec(self, inputs, mask=None):
        return super().compute_output_spec(inputs)

    def get_config(self):
        return {**super().get_config(), "mask_rule": self.mask_rule}

    def _window(self):
        return self.pool_size[0], self.strides[0], 1, self.padding


def _windows(mask, size, strides, dilation, padding, rule):
    """Where the first step of each window stands, relative to `output * strides`, one number a
    row, and the mask of the outputs. Each row has the windows that its sequence has alone."""
    width = dilation * (size - 1) + 1
    step = ops.cumsum(ops.ones_like(mask, dtype="int32"), axis=1) - 1
    end = ops.max(ops.where(mask, step + 1, 0), axis=1, keepdims=True, initial=0)
    length = ops.max(ops.where(mask, end - step, 0), axis=1, keepdims=True, initial=0)
    first = end - length
    if padding == "valid":
        outputs, added = (length - width) // strides + 1, 0
        output = (step[:, width - 1 :: strides] - (width - 1)) // strides
    else:
        outputs = (length + strides - 1) // strides
        output = step[:, ::strides] // strides
        added = width - 1
        if padding == "same":
            added = ops.maximum((outputs - 1) * strides + width - length, 0) // 2
    start = first % strides - added
    alone = (output >= first // strides) & (output < first // strides + outputs)
    # in this order: `ops.add` takes a vector on its right for a bias, on TensorFlow
    taken = ops.add(
        dilation * np.arange(size, dtype="int32"), (output * strides + start)[..., None]
    )
    within = (taken >= first[..., None]) & (taken < end[..., None])
    index = ops.where(within, taken, first[..., None])
    valid = ops.take_along_axis(mask[..., None], index, axis=1) & within
    return start, alone & (ops.any if rule == "any" else ops.all)(valid, axis=-1)


def _in_windows(x, mask, start, size, strides, dilation, padding, filler):
    """The steps of `x` moved to where windows without padding, `strides` apart, find them."""
    (batch, time), width = ops.shape(mask), dilation * (size - 1) + 1
    outputs = (time - width) // strides + 1 if padding == "valid" else -(-time // strides)
    source = ops.arange((outputs - 1) * strides + width) + start
    index = ops.clip(source, 0, time - 1)
    kept = ops.take_along_axis(mask, index, axis=1) & (source == index)
    index = ops.arange(batch)[:, None] * time + index
    moved = ops.take(ops.reshape(x, (-1, x.shape[-1])), index, axis=0)
    return ops.where(kept[..., None], moved, ops.cast(filler, x.dtype))


def _mask_rule(rule):
    if rule not in ("any", "all"):
        raise ValueError(
            f'`mask_rule` must be "any" or "all". Received: mask_rule={rule!r}. Use "any" for '
            'windows with at least one valid step, "all" for windows without padding.'
        )
    return rule


def _step_mask(mask, inputs):
    mask = _boolean_mask(mask, inputs)
    if mask is not None and len(mask.shape) != 2:
        raise ValueError(
            "The mask must have one entry a step, (batch, time). Received: a mask of shape "
            f"{tuple(mask.shape)}. Reduce it first, such as `ops.any(mask, axis=-1)`."
        )
    return mask


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
