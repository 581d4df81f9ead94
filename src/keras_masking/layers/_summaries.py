"""What the layers that make one entry of the steps along an axis share."""

import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, with_axes_of
from keras_masking.layers._stand_in import refuse_other


class Summary(keras.layers.Layer):
    """Of all entries along an axis; `of_all` gives it without a mask, `of_valid` with one."""

    def __init__(self, axis: int = 1, keepdims: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.keepdims = keepdims

    def build(self, input_shape):
        step_axis(self.axis, input_shape)

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        x, axis = self.taken(inputs), step_axis(self.axis, inputs.shape)
        result = self.of_all(x, axis) if mask is None else self.of_valid(x, mask, axis)
        return ops.cast(ops.expand_dims(result, axis) if self.keepdims else result, x.dtype)

    def taken(self, inputs):
        return ops.cast(inputs, self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return mask_without(step_axis(self.axis, inputs.shape), mask, self.keepdims)

    def compute_output_shape(self, input_shape):
        axis = step_axis(self.axis, input_shape)
        return (*input_shape[:axis], *(1,) * self.keepdims, *input_shape[axis + 1 :])

    def compute_output_spec(self, inputs, mask=None):
        boolean_mask(mask, inputs)
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.taken(inputs).dtype)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "keepdims": self.keepdims}


class OneStep(Summary):
    """The step that `index` names; `end` is the index of it without a mask."""

    def taken(self, inputs):
        return inputs

    def of_all(self, x, axis):
        return x[(slice(None),) * axis + (self.end,)]

    def of_valid(self, x, mask, axis):
        if x.shape[axis] == 0:
            return ops.sum(x, axis=axis)
        if axis >= len(mask.shape):
            step = self.of_all(x, axis)
        else:
            step = self.at_index(x, mask, axis)
            mask = ops.any(mask, axis=axis)
        return ops.where(with_axes_of(step, mask), step, 0)

    def at_index(self, x, mask, axis):
        time = len(mask.shape) - 1  # after the other axes of the mask, which become one
        x, mask = ops.moveaxis(x, axis, time), ops.moveaxis(ops.cast(mask, "int32"), axis, time)
        shape = ops.shape(x)
        steps = ops.reshape(x, (-1, *shape[time + 1 :]))
        start = ops.arange(0, ops.shape(steps)[0], shape[time])
        return ops.take(steps, ops.reshape(start, shape[:time]) + self.index(mask), axis=0)


def from_global_pooling(cls, stock, layer):
    """A summary of steps in place of a layer of Keras that pools all of them."""
    refuse_other(cls, stock, layer)
    config = layer.get_config()
    if config.pop("data_format") != "channels_last":
        raise ValueError(
            f"{cls.__name__} needs time as the second axis, as the mask has it. Received: "
            f'{layer!r} with data_format="channels_first". Put keras_masking.MaskedPermute or '
            "keras.layers.Permute((2, 1)) in front, and use channels_last."
        )
    return cls.from_config(config)


def step_axis(axis, shape):
    if type(axis) is not int or axis == 0 or not -len(shape) < axis < len(shape):
        raise ValueError(
            "`axis` must be an integer that names an axis of the inputs other than 0, the batch. "
            f"Received: axis={axis!r} for inputs of shape {tuple(shape)}. "
            f"Use a value from 1 to {len(shape) - 1}."
        )
    return axis % len(shape)


def mask_without(axis, mask, keepdims=False):
    if mask is None or axis >= len(mask.shape):
        return mask
    return ops.any(mask, axis=axis, keepdims=keepdims) if len(mask.shape) > 2 else None


def in_float32(x):
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    return ops.cast(x, "float32") if half else x


def if_(condition, yes, no):
    try:
        return yes() if bool(condition) else no()
    except TypeError:  # compiled: which of the two is known when the graph runs
        return ops.cond(condition, yes, no)


def product_with(mask, x, axis):
    axes = "abcdefghijklmnopqrstuvwxyz"[: len(x.shape)]
    equation = f"{axes[: len(mask.shape)]},{axes}->{axes[:axis]}{axes[axis + 1 :]}"
    return ops.einsum(equation, ops.cast(mask, x.dtype), x)


def masked_sum(x, mask, axis):
    x = in_float32(x)
    total = product_with(mask, x, axis)

    def without_padded_values():
        return ops.sum(ops.where(with_axes_of(x, mask), x, 0), axis=axis)

    return if_(ops.all(ops.isfinite(total)), lambda: total, without_padded_values)
