import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask, with_axes_of, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedFlatten(StandIn, keras.layers.Flatten):
    """Flatten a padded batch, and its mask with it.

    Padded elements become 0, so a `Dense` layer after it sees nothing of them, and the mask
    is repeated for each element of a step, in the order of the flattened elements. Without a
    mask this is `keras.layers.Flatten`.

    Args:
        data_format: as in `keras.layers.Flatten`.
        pass_mask: whether the flattened mask goes on. In front of a `Dense` layer it must end:
            `Dense` would pass it on to an output of another size, and the loss could not use it.

    Call arguments:
        inputs: a tensor of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, time * ...)` and the dtype of `inputs`, with a mask of the same shape
        unless `pass_mask` is False. Sizes that are known before the model runs stay known.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), or the inputs are ragged or strings.
    """

    def __init__(self, data_format: str | None = None, pass_mask: bool = True, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.pass_mask = pass_mask

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        return super().call(inputs if mask is None else zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        if mask is None or not self.pass_mask:
            return None
        elements = ops.ones_like(inputs, dtype="bool")
        elements = ops.logical_and(with_axes_of(inputs, mask), elements)
        return keras.layers.Flatten(self.data_format)(elements)

    def get_config(self):
        return {**super().get_config(), "pass_mask": self.pass_mask}
