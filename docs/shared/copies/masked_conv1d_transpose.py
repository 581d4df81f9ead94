# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_conv1d_transpose.py and what it uses of the files beside it.

import keras
import numpy as np
from keras import ops


class StandIn:
    """A base in front of the class of Keras that a layer replaces."""

    @classmethod
    def from_keras(cls, layer: keras.Layer):
        """This layer in place of one of Keras: the same name, arguments and weights.

        Args:
            layer: an instance of the class of Keras that this one replaces.

        Returns:
            A new layer, built where `layer` is. The weights are copies, and `layer` stays as it is.

        Raises:
            TypeError: `layer` is of another class; a subclass may compute something else.
        """
        stock = next(c for c in cls.__mro__ if c.__module__.split(".")[0] == "keras")
        refuse_other(cls, stock, layer)
        config = layer.get_config()
        if callable(getattr(layer, "activation", None)):
            config["activation"] = layer.activation  # a config knows the name of a function only
        return with_weights_of(layer, cls.from_config(config))

    def compute_mask(self, inputs, previous_mask=None):
        return boolean_mask(previous_mask, inputs)

    def compute_output_spec(self, inputs, *args, mask=None, **kwargs):
        boolean_mask(mask, inputs)
        return super().compute_output_spec(inputs, *args, **kwargs)


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


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedConv1DTranspose(Convolution, keras.layers.Conv1DTranspose):
    """Transposed 1D convolution of the unmasked steps of a padded batch.

    Each sequence gets what `keras.layers.Conv1DTranspose` gives it alone, without its padding. A
    padded step contributes nothing, whatever it holds, nan and inf included, and its gradient
    is 0. Padding between valid steps keeps its place in time. Without a mask this is
    `keras.layers.Conv1DTranspose`.

    Args:
        filters, kernel_size, strides, ...: as in `keras.layers.Conv1DTranspose`, weights too.
        mask_rule: which of the outputs that a sequence has alone stay unmasked. "any": all but
            those that only padding reaches. "all": those that no padding reaches; what lies
            before and after a sequence is padding. An output that no step reaches, where
            `strides` is larger than the kernel, is the bias alone, and stays.

    Call arguments:
        inputs: numbers of shape `(batch, time, channels)`, or `(batch, channels, time)` with
            `data_format="channels_first"`.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, time)`; True = use. Given by
            Keras when `inputs` carry a mask.

    Returns:
        The shape and dtype of `keras.layers.Conv1DTranspose`, with a mask of shape
        `(batch, new_time)`. Masked outputs are 0, bias and activation included. A fully padded
        row has masked outputs only.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), `mask_rule` is another, or the inputs are ragged or strings.
    """

    def over_windows(self, x, mask, start, kept):
        outputs = ops.conv_transpose(
            zero_where_masked(x, mask),
            self.kernel,
            list(self.strides),
            self.padding,
            self.output_padding,
            "channels_last",
            self.dilation_rate,
        )
        return self.activated(outputs, kept)

    def windows(self, mask):
        size, strides, dilation, _ = self.window()
        front, added = self.cut()
        step, first, end, length = extent(mask)
        every = ops.repeat(ops.ones_like(mask, dtype="int32"), strides, axis=1)
        every = ops.pad(every, [[0, 0], [0, max(added, 0)]], constant_values=1)
        output = ops.cumsum(every[:, : min(added, 0) or None], axis=1) - 1
        place = output - first * strides
        alone = (place >= 0) & (place - added < length * strides) & (length > 0)
        # of each output the places of the steps, with zeros in between, that the kernel reaches
        reached = sum_of(output[..., None], front - dilation * np.arange(size))
        on_step, reached = ops.equal(reached % strides, 0), reached // strides
        within = (reached >= first[..., None]) & (reached < end[..., None])
        index = ops.where(within, reached, first[..., None])
        valid = ops.take_along_axis(mask[..., None], index, axis=1) & within
        padding = on_step & ~valid
        if self.mask_rule == "all":
            return None, alone & ~ops.any(padding, axis=-1)
        by_padding = ops.any(padding & within, axis=-1)
        return None, alone & (ops.any(valid & on_step, axis=-1) | ~by_padding)

    def cut(self):
        """How many outputs Keras cuts off in front, and gives beyond `strides` a step."""
        size, strides, dilation, _ = self.window()
        width = dilation * (size - 1) + 1
        more = None if self.output_padding is None else self.output_padding[0]
        if self.padding == "valid":
            return 0, max(width - strides, 0) if more is None else width - strides + more
        if more is None:
            return max(width - strides, 0) // 2, 0
        return max(width - width % 2 - more, 0) // 2, width % 2 + more - strides


def refuse_other(cls, stock, layer):
    if type(layer) is not stock:
        raise TypeError(
            f"{cls.__name__} replaces keras.layers.{stock.__name__}, but no subclass of it and no "
            f"other layer. Received: {layer!r}. Make the layer by hand, with the arguments that "
            "fit."
        )


def with_weights_of(layer, ours):
    if layer.built and layer.variables:
        ours.build_from_config(layer.get_build_config())
        for variable, value in zip(ours.variables, layer.variables, strict=True):
            variable.assign(value)
    return ours


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


def step_mask(mask, inputs):
    mask = boolean_mask(mask, inputs)
    if mask is not None and len(mask.shape) != 2:
        raise ValueError(
            "The mask must have one entry per step, (batch, time). Received: a mask of shape "
            f"{tuple(mask.shape)}. Reduce it first, such as `ops.any(mask, axis=-1)`."
        )
    return mask


def zero_where_masked(x, mask):
    return ops.cast(ops.where(with_axes_of(x, mask), x, 0), x.dtype)


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


def valid_where_masked(x, mask):
    """`x`, with the first valid step of the batch in place of padding, or 1 without any.

    For a function whose result in padding is selected away: that has a gradient of 0, and 0 times
    the slope of the function is nan where the slope is not finite, as that of `log` at 0.
    """
    flat = ops.cast(ops.reshape(mask, (-1,)), "int32")
    first = ops.logical_and(mask, ops.reshape(ops.equal(ops.cumsum(flat), 1), ops.shape(mask)))
    steps = tuple(range(len(mask.shape)))
    valid = ops.sum(ops.where(with_axes_of(x, first), x, 0), axis=steps, keepdims=True)
    valid = ops.where(ops.any(mask), ops.stop_gradient(valid), 1)
    return ops.cast(ops.where(with_axes_of(x, mask), x, valid), x.dtype)


def extent(mask):
    """The number of each step, and of each row the first valid step, the end and the length."""
    step = ops.cumsum(ops.ones_like(mask, dtype="int32"), axis=1) - 1
    valid = ops.cast(mask, "int32")
    before = ops.cumsum(valid, axis=1)
    begun, going = before > 0, before - valid < ops.sum(valid, axis=1, keepdims=True)
    end = ops.sum(ops.cast(going, "int32"), axis=1, keepdims=True)
    length = ops.sum(ops.cast(begun & going, "int32"), axis=1, keepdims=True)
    return step, end - length, end, length


def sum_of(a, b):
    """On TensorFlow `ops.add`, which `+` is in a Functional model, may take `b` for a bias."""
    return ops.subtract(a, ops.negative(ops.cast(b, "int32")))


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]
