# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_lambda.py and what it uses of the files beside it.

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
class MaskedLambda(StandIn, keras.layers.Lambda):
    """A function as a layer, which passes the mask on.

    Padded steps become 0 before the function and after it, so a function that works within
    each step is free of padding, even where it gives nan or inf for it. One that joins steps must
    take the mask, as an argument `mask`, and use it. Without a mask this is `keras.layers.Lambda`.

    Args:
        function, output_shape, arguments: as in `keras.layers.Lambda`.
        mask: as in `keras.layers.Lambda`, a function of the inputs and their mask that gives that
            of the result, or a tensor. By default the mask of the inputs goes on. Give
            `lambda inputs, mask: None` where the function removes the time axis.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        What the function gives, with its mask.

    Raises:
        ValueError: the mask does not fit the inputs, or goes on and does not fit the result, or it
            holds values other than 0 and 1 (seen in eager calls only); or there are several inputs
            or results, or they are ragged or strings.
    """

    def __init__(
        self, function, output_shape=None, mask=None, arguments: dict | None = None, **kwargs
    ):
        super().__init__(function, output_shape, mask, arguments, **kwargs)
        self.supports_masking = True

    @classmethod
    def from_keras(cls, layer: keras.Layer):
        """The function of a `keras.layers.Lambda`, by itself and not as its config has it.

        Raises:
            TypeError: `layer` is of another class.
        """
        refuse_other(cls, keras.layers.Lambda, layer)
        options = {"name": layer.name, "dtype": layer.dtype_policy, "trainable": layer.trainable}
        return cls(layer.function, layer._output_shape, layer.mask, layer.arguments, **options)

    def call(self, inputs, mask=None, training=None):
        if no_mask(mask):
            return super().call(inputs, training=training)
        refuse_several(inputs, "inputs")
        mask = boolean_mask(mask, inputs)
        result = super().call(zero_where_masked(inputs, mask), mask=mask, training=training)
        left = self.compute_mask(inputs, mask)
        if left is None:
            return result
        refuse_several(result, "result")
        if self.mask is None and tuple(result.shape)[: len(left.shape)] != tuple(left.shape):
            raise ValueError(
                "The result must keep the axes of the mask in front. Received: a result of shape "
                f"{tuple(result.shape)} with a mask of shape {tuple(left.shape)}. Give "
                "`mask=lambda inputs, mask: ...` that returns the mask of the result, or None."
            )
        return zero_where_masked(result, boolean_mask(left, result))

    def compute_mask(self, inputs, previous_mask=None):
        if not no_mask(previous_mask):
            refuse_several(inputs, "inputs")
            previous_mask = boolean_mask(previous_mask, inputs)
        if self.mask is None:
            return None if no_mask(previous_mask) else previous_mask
        return keras.layers.Lambda.compute_mask(self, inputs, previous_mask)

    def compute_output_spec(self, inputs, mask=None, training=None):
        if not no_mask(mask):
            refuse_several(inputs, "inputs")
            boolean_mask(mask, inputs)
        return keras.layers.Lambda.compute_output_spec(self, inputs)


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


def no_mask(mask):
    return all(part is None for part in keras.tree.flatten(mask))


def refuse_several(x, name):
    if not hasattr(x, "shape"):
        raise ValueError(
            "A function under a mask must take and give one tensor. Received: "
            f"{type(x).__name__} as its {name}. Write a layer for it, or use keras.layers.Lambda "
            "with its argument `mask`."
        )


def zero_where_masked(x, mask):
    return ops.cast(ops.where(with_axes_of(x, mask), x, 0), x.dtype)


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]
