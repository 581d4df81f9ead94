# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_reshape.py and what it uses of the files beside it.

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
class MaskedReshape(StandIn, keras.layers.Reshape):
    """Reshape a padded batch, and its mask with it, as long as steps stay whole.

    The mask follows the time axis where that stays, is split, or is joined with other axes of
    steps: `(batch, 12, features)` becomes `(batch, 3, 4, features)` with a `(batch, 3, 4)` mask.
    Padded steps become 0. Without a mask this is `keras.layers.Reshape`.

    Args:
        target_shape: as in `keras.layers.Reshape`.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, *target_shape)` and the dtype of `inputs`, with a mask that has the leading
        axes of the result up to the features.

    Raises:
        ValueError: the result has steps that are part of one step and part of another, or steps
            joined with their features; the mask does not fit the inputs or holds values other
            than 0 and 1 (seen in eager calls only); or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        self.axes_of_steps(inputs, mask)
        return super().call(zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        if mask is None:
            return None
        before, after = self.axes_of_steps(inputs, mask)
        one = inputs[(..., *[0] * (len(inputs.shape) - before))]
        steps = ops.logical_and(with_axes_of(one, mask), ops.ones_like(one, dtype="bool"))
        target = self.compute_output_shape(inputs.shape)[1:after]
        return keras.layers.Reshape(tuple(-1 if n is None else n for n in target))(steps)

    def axes_of_steps(self, inputs, mask):
        """How many axes hold steps, before and after."""
        shape, target = tuple(inputs.shape), self.compute_output_shape(inputs.shape)
        for before in range(len(mask.shape), max(len(mask.shape) + 1, len(shape))):
            for after in range(2, len(target) + 1):
                parts = (shape[before:], target[after:]), (shape[1:before], target[1:after])
                if any(None not in (*a, *b) and np.prod(a) == np.prod(b) for a, b in parts):
                    return before, after
        raise ValueError(
            "The steps of the inputs must stay whole where they have a mask. Received: "
            f"target_shape={self.target_shape} for inputs of shape {shape} with a mask of shape "
            f"{tuple(mask.shape)}. Keep the features after the steps, as in "
            f"`MaskedReshape((-1, {', '.join(map(str, shape[len(mask.shape) :]))}))`, use "
            "MaskedFlatten to have one mask entry per element, or DropMask to let padding count."
        )


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


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]
