import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedConv1DTranspose(keras.layers.Conv1DTranspose):
    """Transposed 1D convolution of the unmasked steps of a padded batch.

    Each sequence gets what `keras.layers.Conv1DTranspose` gives it alone, without its padding. A
    padded step contributes nothing, whatever stands in it, nan and inf included, and its gradient
    is 0. Padding between valid steps keeps its place in time. Without a mask this is
    `keras.layers.Conv1DTranspose`.

    Args:
        filters, kernel_size, strides, ...: as in `keras.layers.Conv1DTranspose`, weights too.
        mask_rule: which of the outputs that a sequence has alone stay unmasked. "any": all but
            those that only padding reaches. "all": those that no padding reaches; what lies
            before and behind a sequence is padding. An output that no step reaches, where
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

    def __init__(self, filters, kernel_size, *args, mask_rule="any", **kwargs):
        super().__init__(filters, kernel_size, *args, **kwargs)
        self.mask_rule = _mask_rule(mask_rule)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        steps_first = self.data_format == "channels_last"
        x = inputs if steps_first else ops.swapaxes(inputs, 1, 2)
        mask = _step_mask(mask, x)
        if mask is None:
            return super().call(inputs)
        if x.shape[0] == 0:  # TensorFlow convolves an empty batch to a wrong length
            return ops.zeros(self.compute_output_shape(inputs.shape), self.compute_dtype)
        kept = mask[..., None] if steps_first else mask[:, None]
        outputs = super().call(ops.where(kept, inputs, ops.cast(0, inputs.dtype)))
        left = self._output_mask(mask)
        kept = left[..., None] if steps_first else left[:, None]
        return ops.where(kept, outputs, ops.cast(0, outputs.dtype))

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        if previous_mask.shape[0] == 0:
            time = 1 if self.data_format == "channels_last" else 2
            return ops.zeros((0, self.compute_output_shape(inputs.shape)[time]), "bool")
        return self._output_mask(ops.cast(previous_mask, "bool"))

    def compute_output_spec(self, inputs, mask=None):
        return super().compute_output_spec(inputs)

    def get_config(self):
        return {**super().get_config(), "mask_rule": self.mask_rule}

    def _output_mask(self, mask):
        strides, width = self.strides[0], self.dilation_rate[0] * (self.kernel_size[0] - 1) + 1
        front, added = self._cut(width, strides)
        beyond = -(-width // strides) + 1

        def reached(steps, around):
            """The outputs that at least one of the steps reaches, `around` standing beyond."""
            steps = ops.pad(
                ops.cast(steps, "float32"), [[0, 0], [beyond, beyond]], constant_values=around
            )
            steps = ops.repeat(steps, strides, axis=1)  # and zeros between the steps
            place = ops.cumsum(ops.ones_like(steps, dtype="int32"), axis=1) - 1
            number = ops.conv(
                ops.where(place % strides == 0, steps, 0)[..., None],
                ops.ones((*self.kernel_size, 1, 1)),
                data_format="channels_last",
                dilation_rate=self.dilation_rate,
            )
            start = beyond * strides + front - (width - 1)
            return number[:, start : front + added - beyond * strides, 0] > 0.5

        step = ops.cumsum(ops.ones_like(mask, dtype="int32"), axis=1) - 1
        end = ops.max(ops.where(mask, step + 1, 0), axis=1, keepdims=True, initial=0)
        length = ops.max(ops.where(mask, end - step, 0), axis=1, keepdims=True, initial=0)
        first = end - length
        valid = reached(mask, 0)
        output = ops.cumsum(ops.ones_like(valid, dtype="int32"), axis=1) - 1
        outputs = length * strides + added
        alone = (output >= first * strides) & (output < first * strides + outputs) & (length > 0)
        if self.mask_rule == "all":
            return alone & ~reached(~mask, 1)
        within = (step >= first) & (step < end) & ~mask
        return alone & (valid | ~reached(within, 0))

    def _cut(self, width, strides):
        """How many outputs Keras cuts off in front, and gives beyond `strides` a step."""
        more = None if self.output_padding is None else self.output_padding[0]
        if self.padding == "valid":
            return 0, max(width - strides, 0) if more is None else width - strides + more
        if more is None:
            return max(width - strides, 0) // 2, 0
        return max(width - width % 2 - more, 0) // 2, width % 2 + more - strides


def _mask_rule(rule):
    if rule not in ("any", "all"):
        raise ValueError(
            f'`mask_rule` must be "any" or "all". Received: mask_rule={rule!r}. Use "any" for '
            'windows with at least one valid step, "all" for windows without padding.'
        )
    return rule


def _step_mask(mask, inputs):
    mask = _boolean_mask(mask, inputs)
    if mask is not None and len(mask.shape) != 2:
        raise ValueError(
            "The mask must have one entry a step, (batch, time). Received: a mask of shape "
            f"{tuple(mask.shape)}. Reduce it first, such as `ops.any(mask, axis=-1)`."
        )
    return mask


def _boolean_mask(mask, inputs):
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    if dtype == "string" or hasattr(inputs, "row_splits"):
        raise ValueError(
            "The inputs must be a dense tensor of numbers. Received: "
            f"{'strings' if dtype == 'string' else 'a ragged tensor'} of shape {inputs.shape}. "
            "Turn strings into numbers first, and a ragged tensor into a padded one with its mask."
        )
    if mask is None:
        return None
    mask = ops.convert_to_tensor(mask)
    shape, leading = tuple(mask.shape), tuple(inputs.shape)[: len(mask.shape)]
    if not 2 <= len(shape) == len(leading) or any(
        m != n and None not in (m, n) for m, n in zip(shape, leading, strict=True)
    ):
        raise ValueError(
            "The mask must have the shape of the leading axes of the inputs, at least "
            f"(batch, time). Received: a mask of shape {shape} for inputs of shape "
            f"{tuple(inputs.shape)}. Give one entry a step, True where the step counts."
        )
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype == "bool":
        return mask
    try:
        truth = dtype[:3] in ("int", "uin", "flo", "bfl") and bool(
            ops.all((mask == 0) | (mask == 1))
        )
    except TypeError:  # compiled: the values are not known yet
        truth = True
    if not truth:
        raise ValueError(
            "The mask must hold booleans, or the numbers 0 and 1. Received: a mask of dtype "
            f"{dtype} with other values. Compare first, such as `scores > 0` or `lengths != 0`."
        )
    return ops.cast(mask, "bool")
