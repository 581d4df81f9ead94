import keras
from keras import ops

from keras_masking.layers._summaries import OneStep


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedLast(OneStep):
    """The last unmasked step of each sequence of a padded batch.

    Padding may be on the left, on the right or in between. Padded steps never count, whatever
    they hold, nan and inf included, and their gradient is 0. A fully padded row gives 0.
    Without a mask this is `inputs[:, -1]`.

    Args:
        axis: the axis to take a step of, by default 1, the time steps. Not 0, the batch.
        keepdims: whether the result keeps `axis`, with size 1.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`, or flattened to `(batch, time * ...)`
            with a mask that was flattened alike.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The shape of `inputs` without `axis`, and their dtype. A `(batch, time)` mask ends here.
        From a mask with more axes `axis` is dropped, and a step stays unmasked where any part of
        it was.

    Raises:
        ValueError: the axis or the mask does not fit the inputs, the mask holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.

    Method: the mask gives the index of the step, and only that step is read.
    """

    end = -1

    def index(self, mask):
        return ops.shape(mask)[-1] - 1 - ops.argmax(ops.flip(mask, axis=-1), axis=-1)
