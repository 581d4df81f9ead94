import keras
import numpy as np
from keras import ops

from keras_masking.layers._masks import zero_where_masked
from keras_masking.layers._windows import Convolution, extent, sum_of


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedConv1DTranspose(Convolution, keras.layers.Conv1DTranspose):
    """Transposed 1D convolution of the unmasked steps of a padded batch.

    Each sequence gets what `keras.layers.Conv1DTranspose` gives it alone, without its padding. A
    padded step contributes nothing, whatever it holds, nan and inf included, and its gradient
    is 0. Padding between valid steps keeps its place in time. Without a mask this is
    `keras.layers.Conv1DTranspose`.

    Args:
        filters, kernel_size, strides, ...: as in `keras.layers.Conv1DTranspose`, weights too.
        mask_rule: which of the outputs that a sequence has alone stay unmasked. "any": all but
            those that only padding reaches. "all": those that no padding reaches; what lies
            before and after a sequence is padding. An output that no step reaches, where
            `strides` is larger than the kernel, is the bias alone, and stays.

    Call arguments:
        inputs: numbers of shape `(batch, time, channels)`, or `(batch, channels, time)` with
            `data_format="channels_first"`.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, time)`; True = use. Given by
            Keras when `inputs` carry a mask.

    Returns:
        The shape and dtype of `keras.layers.Conv1DTranspose`, with a mask of shape
        `(batch, new_time)`. Masked outputs are 0, bias and activation included. A fully padded
        row has masked outputs only.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), `mask_rule` is another, or the inputs are ragged or strings.
    """

    def over_windows(self, x, mask, start, kept):
        outputs = ops.conv_transpose(
            zero_where_masked(x, mask),
            self.kernel,
            list(self.strides),
            self.padding,
            self.output_padding,
            "channels_last",
            self.dilation_rate,
        )
        return self.activated(outputs, kept)

    def windows(self, mask):
        size, strides, dilation, _ = self.window()
        front, added = self.cut()
        step, first, end, length = extent(mask)
        every = ops.repeat(ops.ones_like(mask, dtype="int32"), strides, axis=1)
        every = ops.pad(every, [[0, 0], [0, max(added, 0)]], constant_values=1)
        output = ops.cumsum(every[:, : min(added, 0) or None], axis=1) - 1
        place = output - first * strides
        alone = (place >= 0) & (place - added < length * strides) & (length > 0)
        # of each output the places of the steps, with zeros in between, that the kernel reaches
        reached = sum_of(output[..., None], front - dilation * np.arange(size))
        on_step, reached = ops.equal(reached % strides, 0), reached // strides
        within = (reached >= first[..., None]) & (reached < end[..., None])
        index = ops.where(within, reached, first[..., None])
        valid = ops.take_along_axis(mask[..., None], index, axis=1) & within
        padding = on_step & ~valid
        if self.mask_rule == "all":
            return None, alone & ~ops.any(padding, axis=-1)
        by_padding = ops.any(padding & within, axis=-1)
        return None, alone & (ops.any(valid & on_step, axis=-1) | ~by_padding)

    def cut(self):
        """How many outputs Keras cuts off in front, and gives beyond `strides` a step."""
        size, strides, dilation, _ = self.window()
        width = dilation * (size - 1) + 1
        more = None if self.output_padding is None else self.output_padding[0]
        if self.padding == "valid":
            return 0, max(width - strides, 0) if more is None else width - strides + more
        if more is None:
            return max(width - strides, 0) // 2, 0
        return max(width - width % 2 - more, 0) // 2, width % 2 + more - strides
