import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, outer_steps, with_axes_of, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedCropping1D(StandIn, keras.layers.Cropping1D):
    """Cut the first and the last steps off each sequence of a padded batch.

    The steps that are cut are unmasked ones, wherever the padding is: from a sequence padded on
    the right the last valid steps go, not padding. Padded steps become 0, and a sequence without
    more steps than are cut becomes fully padded; a batch of such has no steps left. Without a mask
    this is `keras.layers.Cropping1D`.

    Args:
        cropping: as in `keras.layers.Cropping1D`.

    Call arguments:
        inputs: numbers of shape `(batch, time, features)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, time - cropping, features)` and the dtype of `inputs`. The mask is that of
        the inputs, without the steps that were cut.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        return self.between(zero_where_masked(inputs, self.left(mask)))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return None if mask is None else self.between(self.left(mask))

    def left(self, mask):
        first, last = self.cropping
        steps = ops.cast(outer_steps(mask), "int32")
        number, total = ops.cumsum(steps, axis=1), ops.sum(steps, axis=1, keepdims=True)
        kept = ops.logical_and(number > first, number <= total - last)
        return ops.logical_and(mask, with_axes_of(mask, kept))

    def between(self, x):
        # what is left of a sequence has `first` valid steps before it and `last` after it
        first, last = self.cropping
        return x[:, first : -last or None]
