import keras
from keras import ops
from keras.src.backend import set_keras_mask  # Keras publishes no name for it

from keras_masking.layers._attention import Attention, allowed, kept, mask_of_steps


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
