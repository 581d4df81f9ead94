# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_group_normalization.py and what it uses of the files beside it.

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
class MaskedGroupNormalization(StandIn, keras.layers.GroupNormalization):
    """Group normalization of a padded batch, its mean and variance from unmasked steps only.

    Padded steps never count, whatever they hold, nan and inf included; they become 0, and so
    does their gradient. A fully padded row gives 0. Without a mask this is
    `keras.layers.GroupNormalization`.

    Args:
        groups, axis, epsilon and others: as in `keras.layers.GroupNormalization`. Under a mask
            `axis` must not name one of its axes: padding would change which steps form a group.

    Call arguments:
        inputs: numbers of shape `(batch, time, ..., features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs`, in the layer's compute dtype, with the mask of the inputs; float16
        and bfloat16 are computed in float32.

    Raises:
        ValueError: `axis` or the mask does not fit the inputs, the mask holds values other than
            0 and 1 (seen in eager calls only), or the inputs are ragged or strings.

    Method: two passes, the mean and then the mean square of the distances from it, because the
    mean of the squares less the square of the mean cancels where the mean is large.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        refuse_time(self.axis, mask, inputs)
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        shape, axis = list(ops.shape(x)), self.axis % len(x.shape)
        size = inputs.shape[axis] // self.groups
        grouped = ops.reshape(x, [*shape[:axis], self.groups, size, *shape[axis + 1 :]])
        over = [n for n in range(1, len(grouped.shape)) if n != axis]
        kept = with_axes_of(grouped, mask)
        x = ops.where(kept, grouped, 0)
        ones = ops.cast(ops.logical_and(kept, ops.ones_like(grouped, dtype="bool")), x.dtype)
        counted = ops.maximum(ops.sum(ones, axis=over, keepdims=True), 1)
        mean = ops.sum(x, axis=over, keepdims=True) / counted
        distances = ops.where(kept, x - mean, 0)
        variance = ops.sum(ops.square(distances), axis=over, keepdims=True) / counted
        weights = [1] * len(grouped.shape)
        weights[axis : axis + 2] = self.groups, size
        result = distances * ops.rsqrt(variance + self.epsilon)
        if self.scale:
            result = result * ops.reshape(ops.cast(self.gamma, x.dtype), weights)
        if self.center:
            result = result + ops.reshape(ops.cast(self.beta, x.dtype), weights)
        result = ops.reshape(ops.where(kept, result, 0), shape)
        return ops.cast(result, self.compute_dtype)


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


def refuse_time(axis, mask, inputs):
    if axis % len(inputs.shape) < len(mask.shape):
        raise ValueError(
            "`axis` must name the features, not an axis of the mask. Received: "
            f"axis={axis} for inputs of shape {tuple(inputs.shape)} with a mask of shape "
            f"{tuple(mask.shape)}. Use axis=-1, with the features last."
        )


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]
