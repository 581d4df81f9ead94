import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, refuse_time
from keras_masking.layers._stand_in import StandIn
from keras_masking.layers._statistics import batch_normalized


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedBatchNormalization(StandIn, keras.layers.BatchNormalization):
    """Batch normalization of a padded batch that nothing in the padding can harm.

    The batch normalization of Keras takes a mask too and normalizes valid steps alike. Here nan
    and inf in padded steps do not reach the gradient of the weights either, a batch without a
    valid step leaves the moving statistics as they are, a single feature works on each backend,
    and a mask may have fewer axes, as `(batch, time)` for images as steps. Padded steps become 0,
    and so does their gradient. Without a mask this is `keras.layers.BatchNormalization`.

    Args:
        axis, momentum, epsilon and others: as in `keras.layers.BatchNormalization`. Under a mask
            `axis` must not name one of its axes, and `synchronized=True` is refused: Keras would
            ignore it.

    Call arguments:
        inputs: numbers of shape `(batch, time, ..., features)`.
        training: whether the statistics are those of the batch, and move the moving ones.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs`, in the layer's compute dtype, with the mask of the inputs; float16
        and bfloat16 are computed in float32.

    Raises:
        ValueError: `axis`, `synchronized` or the mask does not fit, the mask holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, training=None, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs, training=training)
        refuse_time(self.axis, mask, inputs)
        if self.synchronized:
            raise ValueError(
                "The statistics of several devices cannot be joined under a mask. Received: "
                "synchronized=True. Use synchronized=False, or DropMask in front."
            )
        return batch_normalized(self, inputs, mask, training)

    def _moments(self, inputs, mask):
        # those of a single feature come without any axis
        return (ops.reshape(x, (-1,)) for x in super()._moments(inputs, mask))
