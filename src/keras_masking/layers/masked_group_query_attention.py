import keras
from keras import ops
from keras.src.backend import set_keras_mask  # Keras publishes no name for it

from keras_masking.layers._attention import Attention, allowed, kept, mask_of_steps


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedGroupQueryAttention(Attention, keras.layers.GroupQueryAttention):
    """Grouped-query attention that nan and inf of padded steps do not get through.

    `keras.layers.GroupQueryAttention` leaves the masks of its caller alone and takes explicit
    ones, but warns that it destroyed a mask, loses an explicit `query_mask` after it, and lets
    nan of padded steps into every other step. Weights, and results without a mask, are those of
    the Keras layer.

    A query that may attend to nothing gives 0, and so do its scores: a padded query, a query
    whose keys are all padded, a fully padded row.

    Args: as for `keras.layers.GroupQueryAttention`.

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
            only), or the inputs are ragged or strings.

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
        if all(mask is None for mask in (*masks, attention_mask)):
            return super().call(
                query,
                value,
                key,
                return_attention_scores=return_attention_scores,
                training=training,
                use_causal_mask=use_causal_mask,
            )
        self._return_attention_scores = return_attention_scores
        steps = self._compute_attention_mask(query, value, *masks, use_causal_mask=use_causal_mask)
        shape = (query.shape[0], self.num_query_heads, query.shape[1], value.shape[1])
        allow = allowed(steps, attention_mask, shape)
        some = ops.any(allow, axis=-1)
        queries, keys = ops.any(some, axis=1), ops.any(allow, axis=(1, 2))
        query, value, key = kept(query, queries), kept(value, keys), kept(key, keys)
        context, scores = self._compute_attention(
            self._query_dense(query),
            ops.repeat(self._key_dense(key), self.num_repeats, axis=2),
            ops.repeat(self._value_dense(value), self.num_repeats, axis=2),
            attention_mask=allow,
            training=training,
        )
        if some.shape[1] != 1:  # a head of a query can be left without keys
            context = kept(context, ops.swapaxes(some, 1, 2))
        if self.use_gate:
            context = ops.multiply(context, self._gate_dense(query))
        output = kept(self._output_dense(context), queries)
        if masks[0] is not None:
            set_keras_mask(output, masks[0])
        return (output, scores) if return_attention_scores else output
