# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_softmax.py and what it uses of the files beside it.

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


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedSoftmax(StandIn, keras.layers.Softmax):
    """Softmax over the unmasked entries of a padded batch.

    Masked entries become 0, and the others sum to 1 among themselves. Where every entry along
    `axis` is masked, all become 0. What padding holds never counts, nan and inf
    included, and its gradient is 0. Without a mask this is `keras.layers.Softmax`.

    A mask of fewer axes than the inputs belongs to their leading axes, as all masks of Keras do;
    `keras.layers.Softmax` would align it with the trailing ones, and raises an error or mixes them
    up.

    Args:
        axis: as in `keras.layers.Softmax`, by default -1; 1 gives weights over the time steps.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
            With as many axes as `inputs` its sizes may also be 1, as in `(batch, 1, 1, keys)`.

    Returns:
        The shape of `inputs`, in their dtype. The mask goes on.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = self.compute_mask(inputs, mask)
        if mask is None:
            return super().call(inputs)
        mask = with_axes_of(inputs, mask)
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        some = ops.any(mask, axis=axis, keepdims=True)
        # -inf everywhere would make nan of a row and of its gradient
        excluded = ops.cast(ops.where(some, -np.inf, 0), inputs.dtype)
        weights = super().call(ops.where(mask, inputs, excluded))
        return ops.cast(ops.where(mask, weights, 0), inputs.dtype)

    def compute_mask(self, inputs, previous_mask=None):
        mask = None if previous_mask is None else ops.convert_to_tensor(previous_mask)
        return boolean_mask(mask, where_not_repeated(mask, inputs))

    def compute_output_spec(self, inputs, mask=None):
        self.compute_mask(inputs, mask)
        return super().compute_output_spec(inputs)


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


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def where_not_repeated(mask, inputs):
    """The inputs, cut to size 1 along the axes where a mask of as many axes has size 1."""
    if mask is None or len(mask.shape) != len(inputs.shape):
        return inputs
    return inputs[tuple(slice(0, 1 if size == 1 else None) for size in mask.shape)]
