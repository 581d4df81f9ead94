"""What the layers that move a window over the steps share."""

import keras
import numpy as np
from keras import ops

from keras_masking.layers._masks import (
    boolean_mask,
    valid_where_masked,
    zero_where_masked,
)
from keras_masking.layers._stand_in import StandIn


class Windows(StandIn):
    """Over the windows that each sequence has alone; `over_windows` gives the outputs."""

    def __init__(self, *args, mask_rule: str = "any", **kwargs):
        super().__init__(*args, **kwargs)
        if mask_rule not in ("any", "all"):
            raise ValueError(
                f'`mask_rule` must be "any" or "all". Received: mask_rule={mask_rule!r}. Use "any" '
                'for windows with at least one valid step, "all" for windows without padding.'
            )
        self.mask_rule = mask_rule

    def call(self, inputs, mask=None):
        x = self.steps_second(inputs)
        mask = step_mask(mask, x)
        if mask is None:
            return super().call(inputs)
        if 0 in mask.shape:  # which some backends take no window from
            return ops.zeros(self.compute_output_shape(inputs.shape), self.compute_dtype)
        start, kept = self.windows(mask)
        return self.steps_second(zero_where_masked(self.over_windows(x, mask, start, kept), kept))

    def compute_mask(self, inputs, previous_mask=None):
        mask = step_mask(previous_mask, self.steps_second(inputs))
        if mask is None:
            return None
        if 0 in mask.shape:
            return ops.zeros(self.mask_shape(inputs.shape), "bool")
        return self.windows(mask)[1]

    def compute_output_spec(self, inputs, mask=None):
        step_mask(mask, self.steps_second(inputs))
        return super().compute_output_spec(inputs)

    def get_config(self):
        return {**super().get_config(), "mask_rule": self.mask_rule}

    def steps_second(self, x):
        """Channels last, or where they are, back again."""
        return x if self.data_format == "channels_last" else ops.swapaxes(x, 1, 2)

    def mask_shape(self, input_shape):
        shape = self.compute_output_shape(input_shape)
        return shape[0], shape[1 if self.data_format == "channels_last" else 2]

    def windows(self, mask):
        return windows(mask, *self.window(), self.mask_rule)


class Pooling(Windows):
    def window(self):
        return self.pool_size[0], self.strides[0], 1, self.padding


class Convolution(Windows):
    """By `convolved`, without bias and activation."""

    def window(self):
        return self.kernel_size[0], self.strides[0], self.dilation_rate[0], self.padding

    def over_windows(self, x, mask, start, kept):
        size, strides, dilation, padding = self.window()
        if strides > 1:
            x, padding = in_windows(x, mask, start, *self.window(), 0), "valid"
        else:
            x = zero_where_masked(x, mask)
        if padding == "causal":
            x, padding = ops.pad(x, [[0, 0], [dilation * (size - 1), 0], [0, 0]]), "valid"
        return self.activated(self.convolved(x, padding), kept)

    def activated(self, outputs, kept):
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        if self.activation in (None, keras.activations.linear):
            return outputs
        return self.activation(valid_where_masked(outputs, kept))


def step_mask(mask, inputs):
    mask = boolean_mask(mask, inputs)
    if mask is not None and len(mask.shape) != 2:
        raise ValueError(
            "The mask must have one entry per step, (batch, time). Received: a mask of shape "
            f"{tuple(mask.shape)}. Reduce it first, such as `ops.any(mask, axis=-1)`."
        )
    return mask


def extent(mask):
    """The number of each step, and of each row the first valid step, the end and the length."""
    step = ops.cumsum(ops.ones_like(mask, dtype="int32"), axis=1) - 1
    valid = ops.cast(mask, "int32")
    before = ops.cumsum(valid, axis=1)
    begun, going = before > 0, before - valid < ops.sum(valid, axis=1, keepdims=True)
    end = ops.sum(ops.cast(going, "int32"), axis=1, keepdims=True)
    length = ops.sum(ops.cast(begun & going, "int32"), axis=1, keepdims=True)
    return step, end - length, end, length


def windows(mask, size, strides, dilation, padding, rule):
    """Where the first step of each window is, relative to `output * strides`, one number per
    row, and the mask of the outputs. Each row has the windows that its sequence has alone."""
    width = dilation * (size - 1) + 1
    step, first, end, length = extent(mask)
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
    number = output - first // strides
    alone = (number >= 0) & (number < outputs)
    taken = sum_of((sum_of(output * strides, start))[..., None], dilation * np.arange(size))
    within = (taken >= first[..., None]) & (taken < end[..., None])
    index = ops.where(within, taken, first[..., None])
    valid = ops.take_along_axis(mask[..., None], index, axis=1) & within
    return start, alone & (ops.any if rule == "any" else ops.all)(valid, axis=-1)


def sum_of(a, b):
    """On TensorFlow `ops.add`, which `+` is in a Functional model, may take `b` for a bias."""
    return ops.subtract(a, ops.negative(ops.cast(b, "int32")))


def in_windows(x, mask, start, size, strides, dilation, padding, filler):
    """The steps of `x` moved to where windows without padding, `strides` apart, find them."""
    (batch, time), width = ops.shape(mask), dilation * (size - 1) + 1
    outputs = (time - width) // strides + 1 if padding == "valid" else -(-time // strides)
    source = ops.arange((outputs - 1) * strides + width) + start
    index = ops.clip(source, 0, time - 1)
    kept = ops.take_along_axis(mask, index, axis=1) & ops.equal(source, index)
    index = ops.arange(batch)[:, None] * time + index
    moved = ops.take(ops.reshape(x, (-1, x.shape[-1])), index, axis=0)
    return ops.where(kept[..., None], moved, ops.cast(filler, x.dtype))
