import keras

from keras_masking.layers._masks import boolean_mask, valid_where_masked, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedEinsumDense(StandIn, keras.layers.EinsumDense):
    """A dense layer by an einsum equation, for a padded batch.

    Nothing in padded steps, nan and inf included, reaches the result or the weights: they become
    0, and their bias does not bring them back. Without a mask this is `keras.layers.EinsumDense`.

    Args:
        equation, output_shape and others: as in `keras.layers.EinsumDense`, a quantized `dtype`
            policy and `quantize` too.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        What the equation says, in the layer's compute dtype. The mask goes on where the equation
        keeps its axes in front, as in `"btf,fg->btg"` or `"...f,fg->...g"`. It ends where the
        equation sums over time, as in `"btf,tg->bfg"`.

    Raises:
        ValueError: the equation moves the time axis, the mask does not fit the inputs or holds
            values other than 0 and 1 (seen in eager calls only), or the inputs are ragged or
            strings.
    """

    def call(self, inputs, training=None, mask=None):
        return self.between(super().call, inputs, training, mask)

    def quantized_call(self, inputs, training=None, mask=None):
        return self.between(super().quantized_call, inputs, training, mask)

    def quantize(self, mode=None, type_check=True, config=None):
        return super().quantize(mode, type_check=False, config=config)  # as its own class

    def between(self, dense, inputs, training, mask):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return dense(inputs, training=training)
        if not keeps_steps(self.equation, inputs, mask):
            return dense(zero_where_masked(inputs, mask), training=training)
        return zero_where_masked(dense(valid_where_masked(inputs, mask), training=training), mask)

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        return mask if mask is not None and keeps_steps(self.equation, inputs, mask) else None


def keeps_steps(equation, x, mask):
    """Whether the axes of the mask are in front of the result; False where time is summed away."""
    given, behind = equation.replace(" ", "").split("->")
    given = given.split(",")[0]
    omitted = [str(n) for n in range(len(x.shape) - len(given.replace("...", "")))]
    given, behind = (
        [*text.partition("...")[0], *(omitted if "..." in text else ()), *text.partition("...")[2]]
        for text in (given, behind)
    )
    axes = given[: len(mask.shape)]
    if axes == behind[: len(axes)]:
        return True
    if set(axes[1:]) & set(behind):
        raise ValueError(
            "The equation must keep the axes of the mask in front, or sum over all of them but "
            f"the batch. Received: equation={equation!r} with a mask of shape "
            f"{tuple(mask.shape)}. Keep the time axis second, and move it with MaskedPermute."
        )
    return False
