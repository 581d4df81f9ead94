# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_time_distributed.py and what it uses of the files beside it.

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
class MaskedTimeDistributed(StandIn, keras.layers.TimeDistributed):
    """Apply a layer to every outer step of a padded batch, each with the mask of its inner steps.

    What padded outer steps hold does not reach the layer, and they become 0 after it; padded
    inner steps become 0 before it. Without a mask this is `keras.layers.TimeDistributed`.

    Args:
        layer: as in `keras.layers.TimeDistributed`.

    Call arguments:
        inputs: numbers of shape `(batch, outer, ...)`, such as `(batch, outer, inner, features)`.
        training: passed on to the layer if it takes it.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, outer)`, or with inner steps too,
            `(batch, outer, inner)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        What the layer gives, in shape `(batch, outer, ...)`. The mask is `(batch, outer)`, True
        where any inner step is; where the layer passes the mask of inner steps on, it is
        `(batch, outer, inner)`.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), a `BatchNormalization` inside the layer is in training, or the inputs
            are ragged or strings.

    Method: outer steps are samples to the layer, which runs once for all of them. One
    without a valid inner step is replaced by the first that has one: many layers give nan for a
    fully padded row, or have no finite slope at 0. A `BatchNormalization` is given the mask.
    """

    def call(self, inputs, training=None, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs, training=training)
        outer, options = outer_steps(mask), {}
        x = zero_where_masked(inputs, mask)
        if isinstance(self.layer, keras.layers.BatchNormalization):
            return parted(batch_normalized(self.layer, joined(x), joined(mask), training), outer)
        if training:
            refuse_statistics(self.layer)
        if self.layer._call_has_training_arg:
            options["training"] = training
        if self.layer._call_has_mask_arg and len(mask.shape) > 2:
            inner = valid_where_masked(ops.cast(mask, "int32"), outer)
            options["mask"] = joined(ops.cast(inner, "bool"))
        result = self.layer.call(joined(valid_where_masked(x, outer)), **options)
        return zero_where_masked(parted(result, outer), outer)

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        if mask is None:
            return None
        outer = outer_steps(mask)
        if len(mask.shape) == 2 or not self.layer.supports_masking:
            return outer
        first = mask[:, 0]
        inner = self.layer.compute_mask(inputs[:, 0], first)
        if inner is None or inner is first:
            return outer if inner is None else mask
        if isinstance(mask, keras.KerasTensor) and None in (*inputs.shape[1:], *inner.shape[1:]):
            raise ValueError(
                "A layer that changes the mask of inner steps needs sizes that are known before "
                f"the run. Received: {self.layer} for inputs of shape {inputs.shape}. Give "
                "keras.Input all sizes but the batch."
            )
        inner = parted(self.layer.compute_mask(joined(inputs), joined(mask)), outer)
        return ops.logical_and(inner, with_axes_of(inner, outer))


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


def outer_steps(mask):
    return ops.any(mask, axis=tuple(range(2, len(mask.shape)))) if len(mask.shape) > 2 else mask


def zero_where_masked(x, mask):
    return ops.cast(ops.where(with_axes_of(x, mask), x, 0), x.dtype)


def parted(x, outer):
    return ops.reshape(x, (-1, ops.shape(outer)[1], *ops.shape(x)[1:]))


def batch_normalized(layer, x, mask, training):
    """By a `BatchNormalization`, whose statistics stay as they are where no step is valid."""
    statistics = layer.non_trainable_variables if training and layer.trainable else []
    before = [ops.copy(ops.convert_to_tensor(variable)) for variable in statistics]
    every_axis_but_last = ops.broadcast_to(with_axes_of(x[..., 0], mask), ops.shape(x)[:-1])
    result = keras.layers.BatchNormalization.call(
        layer, zero_where_masked(x, mask), training=training, mask=every_axis_but_last
    )
    some = ops.any(mask)
    for variable, value in zip(statistics, before, strict=True):
        variable.assign(ops.where(some, ops.convert_to_tensor(variable), value))
    return zero_where_masked(result, mask)


def joined(x):
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))


def refuse_statistics(layer):
    for part in layer._flatten_layers():
        if isinstance(part, keras.layers.BatchNormalization) and part.trainable:
            raise ValueError(
                "In training a BatchNormalization inside another layer would count padded outer "
                f"steps. Received: {part.name!r} inside {layer.name!r}. Wrap the layers before and "
                "after it separately, with a MaskedBatchNormalization between them."
            )


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
