import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, with_axes_of, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedPermute(StandIn, keras.layers.Permute):
    """Permute the axes of a padded batch, and its mask with them.

    The mask follows the time axis. Where that moves after other axes, the mask gains these, as
    `(batch, features, time)` for `dims=(2, 1)`. Padded steps become 0. Without a mask this is
    `keras.layers.Permute`.

    Args:
        dims: as in `keras.layers.Permute`.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        The axes of `inputs` in the order `dims`, and their dtype, with a mask that has the
        leading axes of the result as far as the last one that the mask of the inputs has.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        return super().call(inputs if mask is None else zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        if mask is None:
            return None
        axes = (0, *self.dims)
        last = max(n for n, axis in enumerate(axes) if axis < len(mask.shape))
        every = ops.ones_like(inputs, dtype="bool")
        every = ops.transpose(ops.logical_and(with_axes_of(inputs, mask), every), axes)
        return every[(..., *[0] * (len(axes) - last - 1))]
