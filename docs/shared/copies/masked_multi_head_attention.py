# keras-masking 0.1.0. Licence: MIT.
# src/keras_masking/layers/masked_multi_head_attention.py and what it uses of the files beside it.

import keras
from keras import ops
from keras.src.backend import set_keras_mask  # Keras publishes no name for it


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


class Attention(StandIn):
    def compute_output_spec(self, query, value, key=None, **kwargs):
        inputs = {"query": query, "value": value, "key": value if key is None else key}
        for name, x in inputs.items():
            mask_of_steps(kwargs.pop(f"{name}_mask", None), x)
        return super().compute_output_spec(query, value, key, **kwargs)


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedMultiHeadAttention(Attention, keras.layers.MultiHeadAttention):
    """Multi-head attention that leaves the masks of its caller's tensors alone.

    `keras.layers.MultiHeadAttention` removes them, so a residual connection around it loses its
    mask. It also overwrites `query_mask`, and lets nan and inf of padded steps into every other
    step. Here every mask counts, and steps that no mask lets attend, or be attended to, are 0
    before anything is computed. Weights, and results without a mask, are those of the Keras
    layer.

    A query that may attend to nothing gives 0, and so do its scores: a padded query, a query
    whose keys are all padded, a fully padded row.

    Args: as for `keras.layers.MultiHeadAttention`.

    Call arguments:
        query: numbers of shape `(batch, queries, features)`.
        value: numbers of shape `(batch, keys, features)`.
        key: as `value`, which it is by default.
        query_mask, value_mask, key_mask: booleans, or the numbers 0 and 1, of shape
            `(batch, queries)` or `(batch, keys)`; True = use. Given by Keras when the tensors
            carry masks. A key counts where `value_mask` and `key_mask` are both True.
        attention_mask: the same of shape `(batch, queries, keys)`, without the batch, or with the
            heads, `(batch, heads, queries, keys)`; sizes may be 1. True = may attend.
        return_attention_scores, training, use_causal_mask: as in Keras. A query attends where all
            of the masks, the causal one and the sliding window let it.

    Returns:
        Shape `(batch, queries, features)` in the layer's compute dtype, with the mask of `query`;
        with `return_attention_scores` the scores too, of shape `(batch, heads, queries, keys)`.

    Raises:
        ValueError: a mask does not fit or holds values other than 0 and 1 (seen in eager calls
            only), masks of steps meet inputs with more axes or other `attention_axes`, or the
            inputs are ragged or strings.

    The fused and flash kernels are used where Keras uses them; with padding they are given the
    mask, and only a causal mask alone is left to the kernel.
    """

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        inputs, masks = (query, value, key), (query_mask, value_mask, key_mask)
        masks = [mask_of_steps(*both) for both in zip(masks, inputs, strict=True)]
        over_time = len(query.shape) == 3 and self._attention_axes == (1,)
        if not over_time and any(mask is not None for mask in masks):
            raise ValueError(
                "Masks of steps need inputs of shape (batch, time, features), and attention over "
                f"time. Received: a query of shape {tuple(query.shape)}, and attention over the "
                f"axes {self._attention_axes}. Make the other axes part of the batch, or give "
                "`attention_mask` in the shape of the scores."
            )
        if not over_time or all(mask is None for mask in (*masks, attention_mask)):
            return super().call(
                query,
                value,
                key,
                attention_mask=attention_mask,
                return_attention_scores=return_attention_scores,
                training=training,
                use_causal_mask=use_causal_mask,
            )
        steps = self._compute_attention_mask(query, value, *masks, use_causal_mask=use_causal_mask)
        shape = (query.shape[0], self.num_heads, query.shape[1], value.shape[1])
        allow = allowed(steps, attention_mask, shape)
        some = ops.any(allow, axis=-1)
        queries, keys = ops.any(some, axis=1), ops.any(allow, axis=(1, 2))
        query, value, key = kept(query, queries), kept(value, keys), kept(key, keys)
        context, scores = self._compute_attention(
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
            allow,
            training,
            return_attention_scores,
        )
        if some.shape[1] != 1:  # a head of a query can be left without keys
            context = kept(context, ops.swapaxes(some, 1, 2))
        if self._use_gate:
            context = ops.multiply(context, self._gate_dense(query))
        output = kept(self._output_dense(context), queries)
        if masks[0] is not None:
            set_keras_mask(output, masks[0])
        return (output, scores) if return_attention_scores else output


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


def mask_of_steps(mask, inputs):
    return boolean_mask(mask, inputs if mask is None else inputs[..., 0])


def allowed(steps, attention_mask, shape):
    """Who may attend to whom, of shape (batch, heads, queries, keys), where sizes may be 1."""
    steps = None if steps is None else ops.expand_dims(steps, 1)
    if attention_mask is None:
        return steps
    mask = boolean_mask(attention_mask, attention_mask)
    wanted = shape if len(mask.shape) == 4 else shape[:1] * (len(mask.shape) == 3) + shape[2:]
    if len(mask.shape) != len(wanted) or any(
        m not in (n, 1) and None not in (m, n) for m, n in zip(mask.shape, wanted, strict=True)
    ):
        raise ValueError(
            "`attention_mask` must have the shape (batch, queries, keys), where sizes may be 1, or "
            f"(batch, heads, queries, keys). Received: shape {tuple(mask.shape)} for scores of "
            f"shape {shape}. A mask of padded keys, (batch, keys), is `value_mask`."
        )
    while len(mask.shape) < 4:
        mask = ops.expand_dims(mask, -3)
    return mask if steps is None else ops.logical_and(mask, steps)


def kept(x, mask):
    return ops.cast(ops.where(mask[..., None], x, 0), x.dtype)
