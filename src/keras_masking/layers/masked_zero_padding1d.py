import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedZeroPadding1D(StandIn, keras.layers.ZeroPadding1D):
    """Add steps of zeros to a padded batch, and mask them.

    The steps that are added are padding like any other, and padded steps become 0. Without a mask
    this is `keras.layers.ZeroPadding1D`.

    Args:
        padding, data_format: as in `keras.layers.ZeroPadding1D`. Under a mask "channels_first" is
            refused: time is the second axis of a mask.

    Call arguments:
        inputs: numbers of shape `(batch, time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, time + padding, features)` and the dtype of `inputs`, with the mask of the
        inputs, which is False at the steps added.

    Raises:
        ValueError: the channels are first, the mask does not fit the inputs or holds values other
            than 0 and 1 (seen in eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        if self.data_format == "channels_first":
            raise ValueError(
                "Inputs with a mask must have time as their second axis. Received: "
                'data_format="channels_first". Use "channels_last", or DropMask in front.'
            )
        return super().call(zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        if mask is None:
            return None
        return ops.pad(mask, [(0, 0), self.padding, *[(0, 0)] * (len(mask.shape) - 2)])
