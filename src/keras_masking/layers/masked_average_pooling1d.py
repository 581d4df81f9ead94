import keras
from keras import ops

from keras_masking.layers._windows import Pooling, in_windows


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedAveragePooling1D(Pooling, keras.layers.AveragePooling1D):
    """Mean over the unmasked steps of each window of a padded batch.

    Each sequence gets what `keras.layers.AveragePooling1D` gives it alone, without its padding. A
    padded step never counts, whatever it holds, nan and inf included, and its gradient is 0.
    Padding between valid steps keeps its place in time. The windows start at the first valid
    step, so padding on either side moves none. Without a mask this is
    `keras.layers.AveragePooling1D`.

    Args:
        pool_size, strides, padding, data_format: as in `keras.layers.AveragePooling1D`. As there,
            "valid" drops steps at the end that fill no window; "same" keeps them.
        mask_rule: which of the outputs that a sequence has alone stay unmasked. "any": those
            whose window holds a valid step. "all": those whose window holds nothing else; what
            `same` adds at the ends is no valid step.

    Call arguments:
        inputs: floats of shape `(batch, time, channels)`, or `(batch, channels, time)` with
            `data_format="channels_first"`.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, time)`; True = use. Given by
            Keras when `inputs` carry a mask.

    Returns:
        The shape and dtype of `keras.layers.AveragePooling1D`, with a mask of shape
        `(batch, new_time)`. Masked outputs are 0. A sequence without an output alone, which is
        a fully padded row, or one shorter than the window of `padding="valid"`, has masked
        outputs only.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), `mask_rule` is another, or the inputs are ragged or strings.

    Method: the mean of the window with 0 in place of padding, divided by the share of its
    steps that are valid.
    """

    def over_windows(self, x, mask, start, kept):
        outputs, share = (
            ops.average_pool(
                in_windows(y, mask, start, *self.window(), 0),
                *(self.pool_size, self.strides, "valid", "channels_last"),
            )
            for y in (x, ops.cast(mask, x.dtype)[..., None])
        )
        return outputs / ops.where(share > 0, share, ops.cast(1, x.dtype))
