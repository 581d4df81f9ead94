# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_einsum_dense.py and what it uses of the files beside it.

import keras
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


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedEinsumDense(StandIn, keras.layers.EinsumDense):
    """A dense layer by an einsum equation, for a padded batch.

    Nothing in padded steps, nan and inf included, reaches the result or the weights: they become
    0, and their bias does not bring them back. Without a mask this is `keras.layers.EinsumDense`.

    Args:
        equation, output_shape and others: as in `keras.layers.EinsumDense`, a quantized `dtype`
            policy and `quantize` too.

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

    def call(self, inputs, training=None, mask=None):
        return self.between(super().call, inputs, training, mask)

    def quantized_call(self, inputs, training=None, mask=None):
        return self.between(super().quantized_call, inputs, training, mask)

    def quantize(self, mode=None, type_check=True, config=None):
        return super().quantize(mode, type_check=False, config=config)  # as its own class

    def between(self, dense, inputs, training, mask):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return dense(inputs, training=training)
        if not keeps_steps(self.equation, inputs, mask):
            return dense(zero_where_masked(inputs, mask), training=training)
        return zero_where_masked(dense(valid_where_masked(inputs, mask), training=training), mask)

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return mask if mask is not None and keeps_steps(self.equation, inputs, mask) else None


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


def keeps_steps(equation, x, mask):
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


def zero_where_masked(x, mask):
    return ops.cast(ops.where(with_axes_of(x, mask), x, 0), x.dtype)


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


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]
