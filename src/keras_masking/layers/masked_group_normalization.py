import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, refuse_time, with_axes_of
from keras_masking.layers._stand_in import StandIn


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
