import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, with_axes_of, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedRMSNormalization(StandIn, keras.layers.RMSNormalization):
    """Root mean square normalization of a padded batch, which passes the mask on.

    Over the features, the default, each step is normalized alone. Over axes with time the mean
    square is that of the unmasked steps. Padded steps never count, whatever they hold, nan
    and inf included; they become 0, and so does their gradient. Without a mask this is
    `keras.layers.RMSNormalization`.

    Args:
        axis, epsilon: as in `keras.layers.RMSNormalization`. Under a mask `axis` must name the
            last axes of the inputs: Keras multiplies the scale along these.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs`, in the layer's compute dtype, with the mask of the inputs.

    Raises:
        ValueError: `axis` or the mask does not fit the inputs, the mask holds values other than
            0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        axes = last_axes(self.axis, inputs.shape)
        x = zero_where_masked(inputs, mask)
        if axes[0] >= len(mask.shape):
            return super().call(x)
        wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        kept = ops.cast(with_axes_of(x, mask), wide.dtype)
        counted = ops.sum(ops.broadcast_to(kept, ops.shape(x)), axis=axes, keepdims=True)
        square = ops.sum(ops.square(wide), axis=axes, keepdims=True) / ops.maximum(counted, 1)
        normalized = wide * ops.rsqrt(square + self.epsilon) * ops.cast(self.scale, wide.dtype)
        return ops.cast(normalized, x.dtype)


def last_axes(axis, shape):
    axes = sorted(number % len(shape) for number in axis)
    if axes != list(range(len(shape) - len(axes), len(shape))):
        raise ValueError(
            "`axis` must name the last axes of the inputs where they have a mask. Received: "
            f"axis={axis} for inputs of shape {tuple(shape)}. Use -1, or all axes from one on."
        )
    return axes
