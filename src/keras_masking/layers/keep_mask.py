import keras
from keras import ops

from keras_masking.layers._masks import boolean_mask


@keras.saving.register_keras_serializable(package="keras_masking")
class KeepMask(keras.layers.Layer):
    """Pass a mask on to a tensor that lost it, as after an operator: `KeepMask()([x * 2, x])`.

    The values stay as they are, those of padded steps too, and the tensors given are not changed.
    The steps must be where they were: after a slice or a reversal give `mask`, changed alike.

    Call arguments:
        inputs: a list of two tensors, the one that needs the mask and the one to take it from; or
            one tensor, whose mask is given by `mask` or is kept.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of the first
            tensor, at least `(batch, time)`; True = use. With two tensors it is given by Keras. By
            name only: Keras does not pass on a mask that is given by position.

    Returns:
        The first tensor, with the mask of the second, or without one where the second has none.

    Raises:
        TypeError: the mask is given by position.
        ValueError: there are not one or two tensors, the mask does not fit the first of them or
            holds values other than 0 and 1 (seen in eager calls only), or they are ragged or
            strings.
    """

    def call(self, inputs, *, mask=None):
        x, mask = tensor_and_mask(inputs, mask)
        boolean_mask(mask, x)
        return ops.copy(x)  # Keras sets the mask on what is returned, and that must not be theirs

    def compute_mask(self, inputs, previous_mask=None):
        x, mask = tensor_and_mask(inputs, previous_mask)
        return boolean_mask(mask, x)


def tensor_and_mask(inputs, mask):
    if not isinstance(inputs, (list, tuple)):
        return inputs, mask
    if len(inputs) != 2 or not isinstance(mask, (list, tuple, type(None))):
        raise ValueError(
            "The inputs must be the tensor that needs a mask and the one to take it from. "
            f"Received: {len(inputs)} inputs"
            f"{' and a mask' if hasattr(mask, 'shape') else ''}. "
            "Write `KeepMask()([x * 2, x])`, or `KeepMask()(x * 2, mask=mask)`."
        )
    return inputs[0], None if mask is None else mask[1]
