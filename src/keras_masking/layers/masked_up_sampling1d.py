import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedUpSampling1D(StandIn, keras.layers.UpSampling1D):
    """Repeat each step of a padded batch, and its mask entry with it.

    Padded steps become 0. Without a mask this is `keras.layers.UpSampling1D`.

    Args:
        size: as in `keras.layers.UpSampling1D`.

    Call arguments:
        inputs: numbers of shape `(batch, time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, time * size, features)` and the dtype of `inputs`, with the mask of the
        inputs, each entry `size` times.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        return super().call(inputs if mask is None else zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return None if mask is None else ops.repeat(mask, self.size, axis=1)
