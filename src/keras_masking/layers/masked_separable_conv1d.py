import keras
from keras import ops

from keras_masking.layers._windows import Convolution


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedSeparableConv1D(Convolution, keras.layers.SeparableConv1D):
    """1D convolution by channel, then across channels, over the unmasked steps of a batch.

    Each sequence gets what `keras.layers.SeparableConv1D` gives it alone, without its padding. A
    padded step contributes nothing, whatever it holds, nan and inf included, and its gradient
    is 0. Padding between valid steps keeps its place in time. With strides, the windows start at
    the first valid step and lie as they do for the sequence alone, so padding on either side
    moves none. Without a mask this is `keras.layers.SeparableConv1D`.

    Args:
        filters, kernel_size, strides, ...: as in `keras.layers.SeparableConv1D`, weights too.
        mask_rule: which of the outputs that a sequence has alone stay unmasked. "any": those
            whose window holds a valid step. "all": those whose window holds nothing else; the
            zeros that `same` adds are no valid steps.

    Call arguments:
        inputs: numbers of shape `(batch, time, channels)`, or `(batch, channels, time)` with
            `data_format="channels_first"`.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, time)`; True = use. Given by
            Keras when `inputs` carry a mask.

    Returns:
        The shape and dtype of `keras.layers.SeparableConv1D`, with a mask of shape
        `(batch, new_time)`. Masked outputs are 0, bias and activation included. A sequence
        without an output alone, which is a fully padded row, or one shorter than the window of
        `padding="valid"`, has masked outputs only.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), `mask_rule` is another, or the inputs are ragged or strings.
    """

    def convolved(self, x, padding):
        kernels = self.depthwise_kernel, self.pointwise_kernel
        options = self.strides, padding, "channels_last", self.dilation_rate
        return ops.separable_conv(x, *kernels, *options)
