# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_max.py and what it uses of the files beside it.

import keras
import numpy as np
from keras import ops


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


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedMax(Summary):
    """Maximum over the unmasked steps of a padded batch.

    Padded steps never count, whatever they hold, nan and inf included, and their gradient
    is 0. A fully padded row gives 0. Without a mask this is `keras.ops.max`; as there, steps that
    tie share the gradient.

    Args:
        axis: the axis to take the maximum over, by default 1, the time steps. Not 0, the
            batch.
        keepdims: whether the result keeps `axis`, with size 1.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`, or flattened to `(batch, time * ...)`
            with a mask that was flattened alike.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs` without `axis`, in the layer's compute dtype. A `(batch, time)` mask
        ends here. From a mask with more axes `axis` is dropped, and a step stays unmasked where
        any part of it was.

    Raises:
        ValueError: the axis or the mask does not fit the inputs, the mask holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    @classmethod
    def from_keras(cls, layer: keras.Layer):
        """In place of a `keras.layers.GlobalMaxPooling1D`: its name and arguments.

        Raises:
            TypeError: `layer` is of another class.
            ValueError: its `data_format` is "channels_first", which a mask does not follow.
        """
        return from_global_pooling(cls, keras.layers.GlobalMaxPooling1D, layer)

    def of_all(self, x, axis):
        return ops.max(x, axis=axis)

    def of_valid(self, x, mask, axis):
        if 0 in x.shape:  # of which Keras on torch gives a number without axes
            return ops.sum(x, axis=axis)
        mask = with_axes_of(x, mask)
        largest = ops.max(ops.where(mask, x, -np.inf), axis=axis)
        return ops.where(ops.any(mask, axis=axis), largest, 0)


def step_axis(axis, shape):
    if type(axis) is not int or axis == 0 or not -len(shape) < axis < len(shape):
        raise ValueError(
            "`axis` must be an integer that names an axis of the inputs other than 0, the batch. "
            f"Received: axis={axis!r} for inputs of shape {tuple(shape)}. "
            f"Use a value from 1 to {len(shape) - 1}."
        )
    return axis % len(shape)


def boolean_mask(mask, inputs):
    """The mask as booleans, or None. Refuses inputs and masks that no layer can use."""
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
            f"{tuple(inputs.shape)}. Give one entry per step, True where the step counts."
        )
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype == "bool":
        return mask
    try:
        truth = dtype[:3] in ("int", "uin", "flo", "bfl") and bool(
            ops.all(ops.logical_or(ops.equal(mask, 0), ops.equal(mask, 1)))
        )
    except TypeError:  # compiled: the values are not known yet
        truth = True
    if not truth:
        raise ValueError(
            "The mask must hold booleans, or the numbers 0 and 1. Received: a mask of dtype "
            f"{dtype} with other values. Compare first, such as `scores > 0` or `lengths != 0`."
        )
    return ops.cast(mask, "bool")


def mask_without(axis, mask, keepdims=False):
    if mask is None or axis >= len(mask.shape):
        return mask
    return ops.any(mask, axis=axis, keepdims=keepdims) if len(mask.shape) > 2 else None


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


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def refuse_other(cls, stock, layer):
    if type(layer) is not stock:
        raise TypeError(
            f"{cls.__name__} replaces keras.layers.{stock.__name__}, but no subclass of it and no "
            f"other layer. Received: {layer!r}. Make the layer by hand, with the arguments that "
            "fit."
        )
