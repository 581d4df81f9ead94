# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_cropping1d.py and what it uses of the files beside it.

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
class MaskedCropping1D(StandIn, keras.layers.Cropping1D):
    """Cut the first and the last steps off each sequence of a padded batch.

    The steps that are cut are unmasked ones, wherever the padding is: from a sequence padded on
    the right the last valid steps go, not padding. Padded steps become 0, and a sequence without
    more steps than are cut becomes fully padded; a batch of such has no steps left. Without a mask
    this is `keras.layers.Cropping1D`.

    Args:
        cropping: as in `keras.layers.Cropping1D`.

    Call arguments:
        inputs: numbers of shape `(batch, time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, time - cropping, features)` and the dtype of `inputs`. The mask is that of
        the inputs, without the steps that were cut.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        return self.between(zero_where_masked(inputs, self.left(mask)))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return None if mask is None else self.between(self.left(mask))

    def left(self, mask):
        first, last = self.cropping
        steps = ops.cast(outer_steps(mask), "int32")
        number, total = ops.cumsum(steps, axis=1), ops.sum(steps, axis=1, keepdims=True)
        kept = ops.logical_and(number > first, number <= total - last)
        return ops.logical_and(mask, with_axes_of(mask, kept))

    def between(self, x):
        # what is left of a sequence has `first` valid steps before it and `last` after it
        first, last = self.cropping
        return x[:, first : -last or None]


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


def zero_where_masked(x, mask):
    return ops.cast(ops.where(with_axes_of(x, mask), x, 0), x.dtype)


def outer_steps(mask):
    return ops.any(mask, axis=tuple(range(2, len(mask.shape)))) if len(mask.shape) > 2 else mask


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]
