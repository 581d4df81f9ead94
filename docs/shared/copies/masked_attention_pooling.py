# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_attention_pooling.py and what it uses of the files beside it.

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedAttentionPooling(keras.layers.Layer):
    """Weighted mean over the unmasked steps of a padded batch, with learned weights.

    The score of a step is its product with one learned vector; the softmax of the scores over the
    unmasked steps gives weights that sum to 1. Padded steps get weight 0, whatever they hold,
    nan and inf included, and change no gradient. A fully padded row gives 0.

    Args:
        kernel_initializer: of the vector. With zeros, the default, training starts from the mean.

    Call arguments:
        inputs: numbers of shape `(batch, ..., time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.
        return_attention_scores: whether to return the weights too.

    Returns:
        Shape `(batch, ..., features)`, and with `return_attention_scores` the weights, of shape
        `(batch, ..., time)`, both in the layer's compute dtype; float16 and bfloat16 are computed
        in float32. A `(batch, time)` mask ends here. From a mask with more axes the time steps are
        dropped, and an entry stays unmasked where any step of it was.

    Raises:
        ValueError: the inputs have no time axis, their features have no fixed size, the mask does
            not fit them or holds values other than 0 and 1 (seen in eager calls only), or they
            are ragged or strings.

    Method: the attention layer of DeepMoji, Felbo et al. 2017, https://arxiv.org/abs/1708.00524.
    A weight of 0 times nan is nan. Where an input is not finite, 0 replaces the padded
    values first.
    """

    def __init__(self, kernel_initializer: str | keras.Initializer = "zeros", **kwargs):
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        if len(input_shape) < 3 or input_shape[-1] is None:
            raise ValueError(
                "The inputs must have the axes (batch, time, features), and features a fixed "
                f"size. Received: inputs of shape {tuple(input_shape)}. Add the axis that is "
                "missing, such as `x[..., None]`, or fix the size where the model begins."
            )
        self.kernel = self.add_weight(
            shape=(input_shape[-1],), initializer=self.kernel_initializer, name="kernel"
        )

    def call(self, inputs, mask=None, return_attention_scores=False):
        mask = boolean_mask(mask, inputs)
        x = in_float32(ops.cast(inputs, self.compute_dtype))
        kernel = ops.cast(self.kernel, x.dtype)

        def summary(x):
            weights = softmax(ops.matmul(x, kernel), mask)
            return ops.squeeze(ops.matmul(ops.expand_dims(weights, -2), x), -2), weights

        if mask is None:
            pooled, weights = summary(x)
        else:
            pooled, weights = if_(
                ops.isfinite(ops.sum(x)),
                lambda: summary(x),
                lambda: summary(ops.where(with_axes_of(x, mask), x, 0)),
            )
        pooled = ops.cast(pooled, self.compute_dtype)
        if return_attention_scores:
            return pooled, ops.cast(weights, self.compute_dtype)
        return pooled

    def compute_mask(self, inputs, previous_mask=None):
        return mask_without(len(inputs.shape) - 2, boolean_mask(previous_mask, inputs))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-2], input_shape[-1])

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False):
        boolean_mask(mask, inputs)
        shapes = self.compute_output_shape(inputs.shape), inputs.shape[:-1]
        pooled, weights = (keras.KerasTensor(shape, self.compute_dtype) for shape in shapes)
        return (pooled, weights) if return_attention_scores else pooled

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "kernel_initializer": initializer}


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


def in_float32(x):
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    return ops.cast(x, "float32") if half else x


def softmax(scores, mask):
    if 0 in scores.shape:
        return scores
    kept = ops.ones_like(scores, dtype="bool")
    if mask is not None:
        kept = ops.logical_and(kept, with_axes_of(scores, mask))
    some = ops.any(kept, axis=-1, keepdims=True)
    scores = ops.where(kept, scores, -np.inf)
    largest = ops.max(scores, axis=-1, keepdims=True)
    # where all are masked, -inf less -inf would be nan
    exponents = ops.exp(scores - ops.stop_gradient(ops.where(some, largest, 0)))
    return exponents / ops.where(some, ops.sum(exponents, axis=-1, keepdims=True), 1)


def if_(condition, yes, no):
    try:
        return yes() if bool(condition) else no()
    except TypeError:  # compiled: which of the two is known when the graph runs
        return ops.cond(condition, yes, no)


def with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def mask_without(axis, mask, keepdims=False):
    if mask is None or axis >= len(mask.shape):
        return mask
    return ops.any(mask, axis=axis, keepdims=keepdims) if len(mask.shape) > 2 else None
