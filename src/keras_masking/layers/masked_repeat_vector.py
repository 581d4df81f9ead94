import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedRepeatVector(StandIn, keras.layers.RepeatVector):
    """Repeat a vector `n` times, and the mask of its elements with it.

    Masked elements become 0. Without a mask this is `keras.layers.RepeatVector`. A vector that
    stands for a whole sequence carries no mask; `KeepMask` gives its repetitions the mask of the
    sequence: `KeepMask()([RepeatVector(n)(vector), sequence])`.

    Args:
        n: as in `keras.layers.RepeatVector`.

    Call arguments:
        inputs: numbers of shape `(batch, elements)`.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, elements)`; True = use. Given by
            Keras when `inputs` carry a mask, as after `MaskedFlatten`.

    Returns:
        Shape `(batch, n, elements)` and the dtype of `inputs`, with a mask of the same shape.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        return super().call(inputs if mask is None else zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return None if mask is None else ops.repeat(ops.expand_dims(mask, 1), self.n, axis=1)
